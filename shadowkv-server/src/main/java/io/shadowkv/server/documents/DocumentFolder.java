package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The folder of saved documents.
///
/// A saved document has three files: the engine's, the text, and a description that names the other
/// two. The names of the two are new with every save, and the description is written last and at once
/// (renamed). A crash therefore leaves the earlier save or the new one, and files that nothing names,
/// which the next start removes. A list of the documents reads descriptions only.
///
/// Several servers may share a folder. Thread-safe.
final class DocumentFolder implements AutoCloseable {
    private final Path folder;
    private final SavedLimits limits;
    private final FolderLock lock;
    /// Saves in progress, with the bytes that they are expected to take.
    private final Map<Saving, Long> savings = new HashMap<>();

    /// @param folder exists, or is made when the first document is saved
    DocumentFolder(Path folder, SavedLimits limits) {
        this.folder = folder;
        this.limits = limits;
        this.lock = new FolderLock(folder);
    }

    /// Removes what a crash left, unless another server uses the folder.
    ///
    /// @throws UncheckedIOException if the folder cannot be read or written
    synchronized void clean() {
        if (Files.isDirectory(folder)) {
            lock.ifAlone(this::removeLeftovers);
            lock.share();
        }
    }

    private void removeLeftovers() {
        Set<String> named = new HashSet<>();
        Set<String> unreadable = new HashSet<>();
        for (String id : ids()) {
            find(id).ifPresentOrElse(saved -> named.add(saved.save()), () -> unreadable.add(id));
        }
        for (Path file : files()) {
            String save = SavedFiles.saveOf(file);
            boolean isLeft =
                    save != null && !named.contains(save) && !unreadable.contains(SavedFiles.ownerOf(file, save));
            if (isLeft || SavedFiles.isTemporary(file)) {
                deleteFile(file);
            }
        }
    }

    /// True if there is a description of that identifier.
    boolean contains(String id) {
        return DocumentRequest.isId(id) && Files.exists(SavedFiles.description(folder, id));
    }

    /// A saved document as its description tells. Empty if it has none, or if that is damaged.
    private Optional<SavedDocument> find(String id) {
        try {
            return Optional.of(read(id));
        } catch (ApiException e) {
            return Optional.empty();
        }
    }

    /// The description of a saved document.
    ///
    /// @throws ApiException if there is none (404), or it is damaged (500)
    SavedDocument read(String id) {
        if (!DocumentRequest.isId(id)) {
            throw absent(id);
        }
        try {
            return SavedDocument.of(
                    folder, id, new Fields(JsonBody.parse(Files.readAllBytes(SavedFiles.description(folder, id))), ""));
        } catch (NoSuchFileException e) {
            throw absent(id);
        } catch (IOException | ApiException e) {
            throw damaged(id, "its description cannot be read: " + e.getMessage(), e);
        }
    }

    /// False if the document was deleted or saved again since it was found.
    boolean isCurrent(SavedDocument saved) {
        return find(saved.id())
                .filter(found -> found.save().equals(saved.save()))
                .isPresent();
    }

    /// What clients see of a saved document; empty if it was deleted meanwhile.
    Optional<ObjectNode> summary(String id) {
        try {
            return Optional.of(read(id).summary());
        } catch (ApiException e) {
            if (e.status() == 404) {
                return Optional.empty();
            }
            ObjectNode summary = JsonBody.object();
            summary.put("id", id);
            summary.put("object", "document");
            summary.put("status", "damaged");
            return Optional.of(summary);
        }
    }

    private static ApiException absent(String id) {
        return DocumentStore.absent(id, "id");
    }

    static ApiException damaged(String id, String reason, @Nullable Throwable cause) {
        ApiException error = new ApiException(
                500,
                "server_error",
                "saved document \"" + id + "\" is damaged (" + reason + "); delete it and send it again",
                "id",
                "document_damaged",
                0);
        return cause == null ? error : error.because(cause);
    }

    /// Identifiers of the saved documents.
    List<String> ids() {
        return files().stream()
                .map(SavedFiles::idOf)
                .flatMap(Optional::stream)
                .filter(DocumentRequest::isId)
                .sorted()
                .toList();
    }

    private List<Path> files() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Begins to save a document. Its files do not count before [Saving#publish].
    ///
    /// @param bytes memory of the document, about the size of its files
    /// @throws ApiException if the folder has no room (507)
    /// @throws UncheckedIOException if the folder cannot be made or locked
    synchronized Saving begin(String id, long bytes) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        lock.share();
        checkRoom(id, bytes);
        Saving saving = new Saving(
                this, folder, id, UUID.randomUUID().toString().replace("-", "").substring(0, SavedFiles.SAVE_LENGTH));
        savings.put(saving, bytes);
        return saving;
    }

    private void checkRoom(String id, long bytes) {
        Set<String> ids = new HashSet<>(ids());
        savings.keySet().forEach(saving -> ids.add(saving.id()));
        ids.remove(id);
        String replaced = find(id).map(SavedDocument::save).orElse("");
        Set<String> inProgress = new HashSet<>();
        savings.keySet().forEach(saving -> inProgress.add(saving.save()));
        long used = savings.values().stream().mapToLong(Long::longValue).sum();
        for (Path file : files()) {
            String save = SavedFiles.saveOf(file);
            used += save == null || save.equals(replaced) || inProgress.contains(save) ? 0 : size(file);
        }
        limits.check(ids.size(), used, bytes);
    }

    static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            // Deleted meanwhile.
            return 0;
        }
    }

    /// Makes a save the one that counts, and removes the files of the earlier one.
    synchronized void publish(Saving saving) {
        Optional<SavedDocument> earlier = find(saving.id());
        saving.rename();
        savings.remove(saving);
        try {
            earlier.ifPresent(SavedDocument::deleteFiles);
        } catch (UncheckedIOException e) {
            // The new save counts. The next start removes what is left of the earlier one.
        }
    }

    /// Ends a save that was not published.
    synchronized void giveUp(Saving saving) {
        if (savings.remove(saving) != null) {
            saving.deleteFiles();
        }
    }

    /// Deletes the files of a document, the description first.
    ///
    /// @return false if there is none
    synchronized boolean delete(String id) {
        if (!contains(id)) {
            return false;
        }
        Optional<SavedDocument> saved = find(id);
        deleteFile(SavedFiles.description(folder, id));
        saved.ifPresent(SavedDocument::deleteFiles);
        return true;
    }

    static void deleteFile(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        lock.close();
    }
}
