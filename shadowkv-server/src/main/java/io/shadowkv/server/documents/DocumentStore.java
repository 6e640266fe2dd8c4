package io.shadowkv.server.documents;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.model.ServedModel;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The documents of one server. Thread-safe.
public final class DocumentStore {
    private final ServedModel model;
    private final int limit;
    private final @Nullable DocumentFolder folder;
    private final Map<String, StoredDocument> documents = new LinkedHashMap<>();

    /// @param limit maximum number of documents, including those that are being read
    /// @param folder folder of saved documents; null if none are saved
    public DocumentStore(ServedModel model, int limit, @Nullable Path folder) {
        this.model = model;
        this.limit = limit;
        this.folder = folder == null ? null : new DocumentFolder(folder);
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
            checkRoom(request.id());
        }
        int[] ids = DocumentTokens.of(model, request);
        String id = request.id()
                .orElseGet(() -> "doc-" + UUID.randomUUID().toString().replace("-", ""));
        StoredDocument document = new StoredDocument(id, request, ids, planned(ids.length), Instant.now());
        synchronized (documents) {
            checkRoom(request.id());
            documents.put(id, document);
        }
        return document;
    }

    private long planned(int tokens) {
        SequenceBytes planned =
                engine().plan(tokens, engine().options().maxBatch()).perSequence();
        return planned.resident() + planned.offloaded();
    }

    private void checkRoom(Optional<String> asked) {
        asked.filter(documents::containsKey).ifPresent(id -> {
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

    /// Saves a document in the folder. An earlier one of that identifier is replaced.
    ///
    /// @throws ApiException if there is no such document (404), no folder, or no room in it (507)
    public StoredDocument save(String id) {
        StoredDocument document = get(id, "id");
        DocumentFolder target = folder();
        try {
            target.prepare();
            document.save(target.cache(id));
            target.describe(document);
        } catch (CheckpointException | UncheckedIOException e) {
            throw ApiException.refused(
                    507,
                    "id",
                    "document_not_saved",
                    "document \"" + id + "\" was not saved: " + e.getMessage()
                            + ". Free space in the folder, or check it");
        }
        return document;
    }

    /// Brings a saved document back without reading it again.
    ///
    /// @throws ApiException if there is no such document (404), it is loaded already (409), there are too
    ///     many documents (507), or it belongs to another model or cache strategy (400)
    public StoredDocument load(String id) {
        DocumentFolder source = folder();
        if (!source.contains(id)) {
            throw absent(id, "id");
        }
        synchronized (documents) {
            checkRoom(Optional.of(id));
        }
        Fields description = source.read(id);
        Document opened = open(source, id);
        try {
            int[] ids = opened.ids();
            if (!description.text("token_hash").orElse("").equals(DocumentFolder.hash(ids))) {
                throw DocumentFolder.damaged(id, "its text and its cache are of different documents");
            }
            StoredDocument document = new StoredDocument(
                    id,
                    DocumentRequest.saved(description),
                    ids,
                    planned(ids.length),
                    Instant.ofEpochSecond(
                            description.whole("created", 0, Integer.MAX_VALUE).orElse(0)));
            document.ready(opened);
            synchronized (documents) {
                checkRoom(Optional.of(id));
                documents.put(id, document);
            }
            return document;
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private Document open(DocumentFolder source, String id) {
        try {
            return engine().openDocument(source.cache(id));
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid("id", "document_of_another_model", String.valueOf(e.getMessage()));
        } catch (CheckpointException e) {
            throw DocumentFolder.damaged(id, String.valueOf(e.getMessage()));
        }
    }

    private DocumentFolder folder() {
        if (folder == null) {
            throw ApiException.invalid(
                    null,
                    "no_document_folder",
                    "the server has no folder for saved documents; start it with one to save and load");
        }
        return folder;
    }

    /// Descriptions of the saved documents that are not in memory.
    public List<ObjectNode> saved() {
        List<ObjectNode> saved = new ArrayList<>();
        if (folder != null) {
            for (String id : folder.ids()) {
                if (!isHeld(id)) {
                    saved.add(folder.summary(id));
                }
            }
        }
        return saved;
    }

    private boolean isHeld(String id) {
        synchronized (documents) {
            return documents.containsKey(id);
        }
    }

    /// Removes a document and frees its memory as soon as no answer uses it. A reading ends. If it was
    /// saved, it can be loaded again. A document that is only in the folder is deleted there.
    ///
    /// @throws ApiException if there is no such document (404)
    public void delete(String id) {
        if (folder != null && folder.contains(id) && !isHeld(id)) {
            folder.delete(id);
            return;
        }
        StoredDocument document = get(id, "id");
        if (!remove(document)) {
            throw absent(id, "id");
        }
        document.close();
    }

    private static ApiException absent(String id, String param) {
        String shown = id.length() > 64 ? id.substring(0, 64) + "…" : id;
        return ApiException.refused(
                404,
                param,
                "document_not_found",
                "there is no document \"" + shown + "\"; GET /v1/documents lists them");
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
