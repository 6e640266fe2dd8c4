package io.shadowkv.server.documents;

import io.shadowkv.server.json.JsonBody;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// One save of a document. Its files have names of their own, so that saves at the same time do not
/// meet. Closing it removes them unless it was published. Used by one thread.
final class Saving implements AutoCloseable {
    private final DocumentFolder owner;
    private final Path folder;
    private final String id;
    private final String save;
    private @Nullable Path description;

    Saving(DocumentFolder owner, Path folder, String id, String save) {
        this.owner = owner;
        this.folder = folder;
        this.id = id;
        this.save = save;
    }

    String id() {
        return id;
    }

    String save() {
        return save;
    }

    /// File of the engine, which does not exist yet.
    Path cache() {
        return SavedFiles.cache(folder, id, save);
    }

    /// Writes the text, and the description under a temporary name.
    void describe(StoredDocument document) {
        ObjectNode text = JsonBody.object();
        text.put("text", document.request().text());
        text.put("system", document.request().system());
        Path target = SavedFiles.text(folder, id, save);
        SavedFiles.rename(SavedFiles.write(target, JsonBody.bytes(text)), target);
        description = SavedFiles.write(
                SavedFiles.description(folder, id), JsonBody.bytes(SavedDocument.description(document, save)));
    }

    /// Makes this save the one that counts.
    void publish() {
        owner.publish(this);
    }

    void rename() {
        Path written = description;
        if (written == null) {
            throw new IllegalStateException("the save of document \"" + id + "\" has no description yet");
        }
        SavedFiles.rename(written, SavedFiles.description(folder, id));
        description = null;
    }

    void deleteFiles() {
        DocumentFolder.deleteFile(cache());
        DocumentFolder.deleteFile(SavedFiles.text(folder, id, save));
        if (description != null) {
            DocumentFolder.deleteFile(description);
        }
    }

    @Override
    public void close() {
        owner.giveUp(this);
    }
}
