package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/// The folder of saved documents. Each has a file of the engine and, written after it, a description
/// with the text. Without the description a document counts as absent.
///
/// @param folder exists, or is made when the first document is saved
record DocumentFolder(Path folder) {
    private static final String DESCRIPTION = ".json";
    private static final String CACHE = ".shadowkv";

    /// File of the engine.
    Path cache(String id) {
        return folder.resolve(id + CACHE);
    }

    private Path description(String id) {
        return folder.resolve(id + DESCRIPTION);
    }

    boolean contains(String id) {
        return DocumentRequest.isId(id) && Files.exists(description(id));
    }

    /// Makes the folder if it is absent.
    void prepare() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Writes the description, whole or not at all.
    void describe(StoredDocument document) {
        ObjectNode body = document.json();
        body.put("status", "saved");
        body.put("text", document.request().text());
        body.put("system", document.request().system());
        body.put("token_hash", hash(document.ids()));
        Path temporary = folder.resolve(document.id() + DESCRIPTION + ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(JsonBody.bytes(body));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(
                    temporary,
                    description(document.id()),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The description of a saved document.
    ///
    /// @throws ApiException if it cannot be read
    Fields read(String id) {
        try {
            return new Fields(JsonBody.parse(Files.readAllBytes(description(id))), "");
        } catch (IOException | ApiException e) {
            throw damaged(id, "its description cannot be read: " + e.getMessage());
        }
    }

    /// What clients see of a saved document.
    ObjectNode summary(String id) {
        try {
            return read(id).without("text", "system", "token_hash");
        } catch (ApiException e) {
            ObjectNode summary = JsonBody.object();
            summary.put("id", id);
            summary.put("object", "document");
            summary.put("status", "damaged");
            return summary;
        }
    }

    static ApiException damaged(String id, String reason) {
        return new ApiException(
                500,
                "server_error",
                "saved document \"" + id + "\" is damaged (" + reason + "); delete it and send it again",
                "id",
                "document_damaged",
                0);
    }

    /// Identifiers of the saved documents.
    List<String> ids() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(DESCRIPTION))
                    .map(name -> name.substring(0, name.length() - DESCRIPTION.length()))
                    .filter(DocumentRequest::isId)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Deletes the files of a document.
    void delete(String id) {
        try {
            Files.deleteIfExists(description(id));
            Files.deleteIfExists(cache(id));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Tells whether both files belong to the same document.
    static String hash(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(ids.length, Integer.BYTES));
        bytes.asIntBuffer().put(ids);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
