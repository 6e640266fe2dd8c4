package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.LoadDocument;
import io.shadowkv.cli.bench.load.LoadRequest;
import io.shadowkv.cli.bench.load.PromptText;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/// Writes the JSON of requests. The content of a document is written once and shared by the requests
/// about it. Thread-safe.
final class RequestBodies {
    private final String model;
    private final DocumentUse use;
    private final Map<LoadDocument, byte[]> written = new ConcurrentHashMap<>();

    RequestBodies(String model, DocumentUse use) {
        this.model = model;
        this.use = use;
    }

    /// True if the request is a chat.
    static boolean isChat(LoadRequest request) {
        return request.document() == null && request.text() instanceof PromptText.Words;
    }

    /// @param documentId identifier of the request's document on the server; null if it has none
    BodyPublisher of(LoadRequest request, @Nullable String documentId) {
        LoadDocument document = request.document();
        byte[] own = bytes(content(request.text()));
        String end = ",\"max_tokens\":" + request.answerTokens()
                + ",\"ignore_eos\":true,\"temperature\":0,\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                + "\"return_token_ids\":true}";
        if (isChat(request)) {
            return joined(head() + "\"messages\":[{\"role\":\"user\",\"content\":\"", own, "\"}]" + end);
        }
        String open = request.text() instanceof PromptText.Ids ? "[" : "\"";
        String close = request.text() instanceof PromptText.Ids ? "]" : "\"";
        String start = head() + "\"prompt\":" + open;
        if (document == null) {
            return joined(start, own, close + end);
        }
        if (use == DocumentUse.api && documentId != null) {
            return joined(start, own, close + ",\"document\":" + quoted(documentId) + end);
        }
        String between = request.text() instanceof PromptText.Ids ? "," : "";
        return BodyPublishers.concat(
                BodyPublishers.ofString(start),
                BodyPublishers.ofByteArray(shared(document)),
                joined(between, own, close + end));
    }

    /// Body of `POST /v1/documents`.
    BodyPublisher of(LoadDocument document, String id) {
        boolean isIds = document.text() instanceof PromptText.Ids;
        return joined(
                head() + "\"id\":" + quoted(id) + ",\"chat\":false," + (isIds ? "\"tokens\":[" : "\"text\":\""),
                shared(document),
                (isIds ? "]" : "\"") + "}");
    }

    private String head() {
        return "{\"model\":" + quoted(model) + ",";
    }

    private byte[] shared(LoadDocument document) {
        return written.computeIfAbsent(document, key -> bytes(content(key.text())));
    }

    private static BodyPublisher joined(String before, byte[] content, String after) {
        return BodyPublishers.concat(
                BodyPublishers.ofString(before), BodyPublishers.ofByteArray(content), BodyPublishers.ofString(after));
    }

    private static String content(PromptText text) {
        return switch (text) {
            case PromptText.Ids ids ->
                Arrays.stream(ids.ids()).mapToObj(Integer::toString).collect(Collectors.joining(","));
            case PromptText.Words words -> {
                String quoted = quoted(words.text());
                yield quoted.substring(1, quoted.length() - 1);
            }
        };
    }

    static String quoted(String text) {
        return JsonMapper.shared().writeValueAsString(text);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
