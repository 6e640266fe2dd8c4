package io.shadowkv.server.documents;

import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.model.ServedModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/// The documents of one server. Thread-safe.
public final class DocumentStore {
    private final ServedModel model;
    private final int limit;
    private final Map<String, StoredDocument> documents = new LinkedHashMap<>();

    /// @param limit maximum number of documents, including those that are being read
    public DocumentStore(ServedModel model, int limit) {
        this.model = model;
        this.limit = limit;
    }

    Engine engine() {
        return model.engine();
    }

    /// Enters a document that is not read yet.
    ///
    /// @throws ApiException if the identifier is taken (409), there are too many documents (507), or the
    ///     request is wrong
    public StoredDocument add(DocumentRequest request) {
        synchronized (documents) {
            checkRoom(request);
        }
        int[] ids = DocumentTokens.of(model, request);
        // The engine's refusals come before anything is entered.
        SequenceBytes planned =
                engine().plan(ids.length, engine().options().maxBatch()).perSequence();
        String id = request.id()
                .orElseGet(() -> "doc-" + UUID.randomUUID().toString().replace("-", ""));
        StoredDocument document = new StoredDocument(id, request, ids, planned.resident() + planned.offloaded());
        synchronized (documents) {
            checkRoom(request);
            documents.put(id, document);
        }
        return document;
    }

    private void checkRoom(DocumentRequest request) {
        request.id().filter(documents::containsKey).ifPresent(id -> {
            throw ApiException.refused(
                    409, "id", "document_exists", "document \"" + id + "\" exists; delete it first, or use another id");
        });
        if (documents.size() >= limit) {
            throw ApiException.refused(
                    507,
                    null,
                    "too_many_documents",
                    "there are " + documents.size() + " documents, and the server keeps at most " + limit
                            + "; delete one first");
        }
    }

    /// All documents in the order of their creation.
    public List<StoredDocument> list() {
        synchronized (documents) {
            return List.copyOf(documents.values());
        }
    }

    /// @param param field of the request that names the document
    /// @throws ApiException if there is no such document (404)
    public StoredDocument get(String id, String param) {
        synchronized (documents) {
            StoredDocument document = documents.get(id);
            if (document == null) {
                throw absent(id, param);
            }
            return document;
        }
    }

    /// Removes a document and frees its memory as soon as no answer uses it. A reading ends.
    ///
    /// @throws ApiException if there is no such document (404)
    public void delete(String id) {
        StoredDocument document = get(id, "id");
        if (!remove(document)) {
            throw absent(id, "id");
        }
        document.close();
    }

    private static ApiException absent(String id, String param) {
        String shown = id.length() > 64 ? id.substring(0, 64) + "…" : id;
        return ApiException.refused(
                404, param, "document_not_found", "there is no document \"" + shown + "\"; GET /v1/documents lists them");
    }

    /// @return false if it was removed before
    boolean remove(StoredDocument document) {
        synchronized (documents) {
            return documents.remove(document.id(), document);
        }
    }

    boolean contains(StoredDocument document) {
        synchronized (documents) {
            return documents.get(document.id()) == document;
        }
    }

    /// Number of documents that were read, or that are being read.
    public int count(boolean areReady) {
        return (int) list().stream().filter(one -> one.isReady() == areReady).count();
    }

    /// Tokens of the documents that were read.
    public long tokens() {
        return list().stream()
                .filter(StoredDocument::isReady)
                .mapToLong(StoredDocument::tokens)
                .sum();
    }

    /// Memory that the engine plans for the documents that were read.
    public long bytes() {
        return list().stream()
                .filter(StoredDocument::isReady)
                .mapToLong(StoredDocument::bytes)
                .sum();
    }
}
