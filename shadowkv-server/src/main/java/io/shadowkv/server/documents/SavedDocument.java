package io.shadowkv.server.documents;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import io.shadowkv.server.json.JsonBody;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import tools.jackson.databind.node.ObjectNode;

/// A document in the folder, as its description tells.
///
/// @param save names its files
/// @param description all but the text
record SavedDocument(Path folder, String id, String save, Fields description) {
    private static final String SAVE = "save";
    private static final String HASH = "token_hash";

    /// @throws ApiException if the description is not one of a saved document
    static SavedDocument of(Path folder, String id, Fields description) {
        String save = description.text(SAVE).orElse("");
        if (!SavedFiles.isSave(save)) {
            throw DocumentFolder.damaged(id, "its description names no files", null);
        }
        return new SavedDocument(folder, id, save, description);
    }

    /// What is written about a document.
    static ObjectNode description(StoredDocument document, String save) {
        ObjectNode body = document.json();
        body.put("status", "saved");
        body.put(HASH, hash(document.ids()));
        body.put(SAVE, save);
        return body;
    }

    /// What clients see.
    ObjectNode summary() {
        return description.without(HASH, SAVE);
    }

    /// File of the engine.
    Path cache() {
        return SavedFiles.cache(folder, id, save);
    }

    /// The request that the document was read for.
    ///
    /// @throws ApiException if the file of the text is damaged (500)
    DocumentRequest request() {
        byte[] text = SavedFiles.read(id, SavedFiles.text(folder, id, save));
        try {
            return DocumentRequest.saved(description, new Fields(JsonBody.parse(text), ""));
        } catch (ApiException e) {
            throw DocumentFolder.damaged(id, "its text cannot be read: " + e.getMessage(), e);
        }
    }

    /// @throws ApiException if the file of the engine has other tokens (500)
    void check(int[] ids) {
        if (!description.text(HASH).orElse("").equals(hash(ids))) {
            throw DocumentFolder.damaged(id, "its text and its cache are of different documents", null);
        }
    }

    void deleteFiles() {
        DocumentFolder.deleteFile(cache());
        DocumentFolder.deleteFile(SavedFiles.text(folder, id, save));
    }

    private static String hash(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(ids.length, Integer.BYTES));
        bytes.asIntBuffer().put(ids);
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
