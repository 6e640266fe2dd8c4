package io.shadowkv.server.documents;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.model.PooledEngine;
import io.shadowkv.text.chat.ChatMessage;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A document that is read or kept. Thread-safe.
public final class StoredDocument {
    private static final int RETRY_SECONDS = 2;

    private final String id;
    private final DocumentRequest request;
    private final int[] ids;
    private final PooledEngine engine;
    private final long plannedBytes;
    private final Instant created;
    private final Cancellation cancellation = new Cancellation();
    private volatile double progress;
    private volatile @Nullable Document document;

    /// @param ids not copied
    /// @param engine reads it and holds it
    /// @param plannedBytes memory that the engine plans for it
    StoredDocument(
            String id, DocumentRequest request, int[] ids, PooledEngine engine, long plannedBytes, Instant created) {
        this.id = id;
        this.request = request;
        this.ids = ids;
        this.engine = engine;
        this.plannedBytes = plannedBytes;
        this.created = created;
    }

    public String id() {
        return id;
    }

    /// Number of tokens.
    public int tokens() {
        return ids.length;
    }

    /// Memory that it holds, or that the engine plans for it while it is read.
    public long bytes() {
        Document read = document;
        return read == null ? plannedBytes : read.bytes();
    }

    DocumentRequest request() {
        return request;
    }

    /// Writes what the engine knows about the document.
    ///
    /// @throws ApiException if the document is still being read
    void save(Path file) {
        Document read = document;
        if (read == null) {
            throw notReady();
        }
        read.save(file);
    }

    int[] ids() {
        return ids;
    }

    Engine engine() {
        return engine.engine();
    }

    /// True once it was read.
    public boolean isReady() {
        return document != null;
    }

    /// Share of the work that is done, from 0 to 1.
    public double progress() {
        return progress;
    }

    Cancellation cancellation() {
        return cancellation;
    }

    void reading(double done) {
        progress = done;
    }

    void ready(Document read) {
        engine.holds(ids);
        document = read;
        progress = 1;
    }

    /// Frees the memory; a reading ends.
    void close() {
        cancellation.cancel();
        Document read = document;
        if (read != null) {
            engine.frees(ids);
            read.close();
        }
    }

    /// The tokens of the document and of a prompt that follows it.
    ///
    /// @throws ApiException if the document is still being read
    public int[] followedBy(int[] prompt) {
        checkReady();
        return IntStream.concat(Arrays.stream(ids), Arrays.stream(prompt)).toArray();
    }

    /// Puts the document's text in front of the content of the first user message.
    ///
    /// @throws ApiException if the document has no text for chats, is still being read, or there is no
    ///     user message
    public List<ChatMessage> before(List<ChatMessage> messages) {
        checkReady();
        String text = request.text();
        if (text == null || !request.isForChats()) {
            throw refusal(
                    "document_not_for_chats",
                    "document \"" + id + "\" was read for completions; ask with /v1/completions, or send it again as"
                            + " text for chats");
        }
        List<ChatMessage> changed = new ArrayList<>(messages);
        for (int i = 0; i < changed.size(); i++) {
            Map<String, @Nullable Object> fields =
                    new LinkedHashMap<>(changed.get(i).fields());
            if ("user".equals(fields.get("role"))) {
                fields.put("content", text + (fields.get("content") instanceof String question ? question : ""));
                changed.set(i, new ChatMessage(fields));
                return changed;
            }
        }
        throw ApiException.invalid(
                "messages", "document is given, but there is no user message; the document begins the first one");
    }

    /// @param prompt tokens of a chat
    /// @throws ApiException if the prompt does not begin with the document's tokens, so that all of it
    ///     would be read again
    public void checkBegins(int[] prompt) {
        int end = Arrays.mismatch(ids, prompt);
        if (end < 0 || end == ids.length) {
            return;
        }
        throw refusal(
                "document_mismatch",
                "the conversation differs from document \"" + id + "\" at token " + end + " of " + ids.length
                        + ", so that the document would be read again. Send the same system message as with the document"
                        + " (its field system) and no message before the first user message, begin the question with a"
                        + " letter, or leave document out");
    }

    private static ApiException refusal(String code, String message) {
        return ApiException.invalid("document", code, message);
    }

    private void checkReady() {
        if (!isReady()) {
            throw notReady();
        }
    }

    private ApiException notReady() {
        return ApiException.unavailable(
                "document_not_ready",
                "document \"" + id + "\" is being read (" + Math.round(progress * 100) + " %); try again soon",
                RETRY_SECONDS);
    }

    /// The document as clients see it.
    public ObjectNode json() {
        boolean isReady = isReady();
        ObjectNode body = JsonBody.object();
        body.put("id", id);
        body.put("object", "document");
        body.put("name", request.name());
        body.put("tokens", ids.length);
        body.put("status", engine.isWorking() ? isReady ? "ready" : "reading" : "lost");
        body.put("engine", engine.number());
        body.put("progress", isReady ? 1 : progress);
        body.put("created", created.getEpochSecond());
        body.put("bytes", bytes());
        body.put("chat", request.isForChats());
        return body;
    }
}
