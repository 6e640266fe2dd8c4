package io.shadowkv.server.documents;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.engine.EngineUnavailableException;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.model.PooledEngine;
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
public final class DocumentStore implements AutoCloseable {
    private final ServedModel model;
    private final int limit;
    private final @Nullable DocumentFolder folder;
    private final Map<String, StoredDocument> documents = new LinkedHashMap<>();

    /// @param limit maximum number of documents, including those that are being read
    /// @param folder folder of saved documents; null if none are saved
    /// @param saved limits on the folder
    public DocumentStore(ServedModel model, int limit, @Nullable Path folder, SavedLimits saved) {
        this.model = model;
        this.limit = limit;
        this.folder = folder == null ? null : new DocumentFolder(folder, saved);
    }

    /// Removes from the folder what a crash has left there.
    ///
    /// @throws UncheckedIOException if the folder cannot be read or written
    public void clean() {
        if (folder != null) {
            folder.clean();
        }
    }

    /// Lets other servers of the same folder remove leftovers.
    @Override
    public void close() {
        if (folder != null) {
            folder.close();
        }
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
        PooledEngine engine = model.engines().leastLoaded();
        String id = request.id()
                .orElseGet(() -> "doc-" + UUID.randomUUID().toString().replace("-", ""));
        StoredDocument document = new StoredDocument(id, request, ids, engine, planned(ids.length), Instant.now());
        synchronized (documents) {
            checkRoom(request.id());
            documents.put(id, document);
        }
        return document;
    }

    private long planned(int tokens) {
        Engine engine = model.engine();
        SequenceBytes planned = engine.plan(tokens, engine.options().maxBatch()).perSequence();
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
    /// @throws ApiException if there is no such document (404), or it is saved and not loaded (409)
    public StoredDocument get(String id, String param) {
        synchronized (documents) {
            StoredDocument document = documents.get(id);
            if (document != null) {
                return document;
            }
        }
        if (folder != null && folder.contains(id)) {
            throw ApiException.refused(
                    409,
                    param,
                    "document_not_loaded",
                    "document \"" + id + "\" is saved, but not in memory; load it first: POST /v1/documents/load with"
                            + " {\"id\":\"" + id + "\"}");
        }
        throw absent(id, param);
    }

    /// What clients see of a document in memory, or of a saved one.
    ///
    /// @throws ApiException if there is no such document (404)
    public ObjectNode describe(String id) {
        synchronized (documents) {
            StoredDocument document = documents.get(id);
            if (document != null) {
                return document.json();
            }
        }
        return Optional.ofNullable(folder)
                .filter(source -> source.contains(id))
                .flatMap(source -> source.summary(id))
                .orElseThrow(() -> absent(id, "id"));
    }

    /// True if a document of that identifier is in memory or saved.
    public boolean knows(String id) {
        return isHeld(id) || (folder != null && folder.contains(id));
    }

    /// A document that was saved or loaded.
    ///
    /// @param path file of the engine
    public record Stored(StoredDocument document, Path path) {
        /// Name of the file of the engine.
        public String file() {
            return path.getFileName().toString();
        }

        /// Size of the file of the engine; 0 if it was replaced or deleted meanwhile.
        public long fileBytes() {
            return DocumentFolder.size(path);
        }
    }

    /// Saves a document in the folder. An earlier save of that identifier is replaced at the end. If the
    /// document is deleted meanwhile, it is not saved.
    ///
    /// @throws ApiException if there is no such document (404), it is deleted meanwhile (409), there is no
    ///     folder (400), or no room in it (507)
    public Stored save(String id) {
        DocumentFolder target = folder();
        StoredDocument document = get(id, "id");
        try (Saving saving = target.begin(id, document.bytes())) {
            document.save(saving.cache());
            saving.describe(document);
            synchronized (documents) {
                if (documents.get(id) != document) {
                    throw deletedMeanwhile(id);
                }
                saving.publish();
            }
            return new Stored(document, saving.cache());
        } catch (CheckpointException | UncheckedIOException e) {
            throw ApiException.refused(
                            507,
                            "id",
                            "document_not_saved",
                            "document \"" + id + "\" was not saved: " + e.getMessage()
                                    + ". Free space in the folder, or check it")
                    .because(e);
        } catch (EngineUnavailableException e) {
            throw e;
        } catch (IllegalStateException e) {
            if (!contains(document)) {
                throw deletedMeanwhile(id);
            }
            throw e;
        }
    }

    private static ApiException deletedMeanwhile(String id) {
        return ApiException.refused(
                409, "id", "document_deleted", "document \"" + id + "\" was deleted while it was saved");
    }

    /// Brings a saved document back without reading it again.
    ///
    /// @throws ApiException if there is no such document (404), it is loaded already (409), there are too
    ///     many documents (507), or it belongs to another model or cache strategy (400)
    public Stored load(String id) {
        DocumentFolder source = folder();
        synchronized (documents) {
            if (source.contains(id)) {
                checkRoom(Optional.of(id));
            }
        }
        while (true) {
            SavedDocument saved = source.read(id);
            try {
                return load(saved);
            } catch (ApiException e) {
                // A new save or a deletion has taken the files away.
                if (e.status() != 500 || source.isCurrent(saved)) {
                    throw e;
                }
            }
        }
    }

    private Stored load(SavedDocument saved) {
        DocumentRequest request = saved.request();
        PooledEngine engine = model.engines().leastLoaded();
        Document opened = open(engine.engine(), saved);
        try {
            int[] ids = opened.ids();
            saved.check(ids);
            Instant created = Instant.ofEpochSecond(
                    saved.description().whole("created", 0, Integer.MAX_VALUE).orElse(0));
            StoredDocument document = new StoredDocument(saved.id(), request, ids, engine, opened.bytes(), created);
            synchronized (documents) {
                checkRoom(Optional.of(saved.id()));
                document.ready(opened);
                documents.put(saved.id(), document);
            }
            return new Stored(document, saved.cache());
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private static Document open(Engine engine, SavedDocument saved) {
        try {
            return engine.openDocument(saved.cache());
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid("id", "document_of_another_model", String.valueOf(e.getMessage()));
        } catch (CheckpointException e) {
            throw DocumentFolder.damaged(saved.id(), String.valueOf(e.getMessage()), e);
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
                    folder.summary(id).ifPresent(saved::add);
                }
            }
        }
        return saved;
    }

    /// True if the server has a folder for documents.
    public boolean canSave() {
        return folder != null;
    }

    /// True if the folder has a document of this identifier.
    public boolean isSaved(String id) {
        return folder != null && folder.contains(id);
    }

    private boolean isHeld(String id) {
        synchronized (documents) {
            return documents.containsKey(id);
        }
    }

    /// Removes a document and frees its memory as soon as no answer uses it. A reading ends. If it was
    /// saved, it can be loaded again. A document that is only in the folder is deleted there.
    ///
    /// @return number of its tokens; 0 if it was in the folder only
    /// @throws ApiException if there is no such document (404)
    public int delete(String id) {
        StoredDocument document;
        synchronized (documents) {
            document = documents.remove(id);
        }
        if (document != null) {
            document.close();
        } else if (folder == null || !folder.delete(id)) {
            throw absent(id, "id");
        }
        return document == null ? 0 : document.tokens();
    }

    static ApiException absent(String id, String param) {
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

    /// Memory of the documents that were read.
    public long bytes() {
        return list().stream()
                .filter(StoredDocument::isReady)
                .mapToLong(StoredDocument::bytes)
                .sum();
    }
}
