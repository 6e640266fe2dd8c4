package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.AnswerSink;
import io.shadowkv.cli.bench.load.LoadFailure;
import java.io.BufferedReader;
import java.io.IOException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads the event stream of an answer.
final class AnswerStream {
    private static final String DATA = "data:";

    private AnswerStream() {}

    /// @throws LoadFailure if the stream reports an error or ends before its end mark
    /// @throws IOException if the connection breaks
    static void read(BufferedReader lines, AnswerSink sink) throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith(DATA)) {
                String data = line.substring(DATA.length()).strip();
                if (data.equals("[DONE]")) {
                    return;
                }
                event(data, sink);
            }
        }
        throw new LoadFailure("stream cut", "the event stream ended without [DONE]");
    }

    private static void event(String data, AnswerSink sink) {
        JsonNode event;
        try {
            event = JsonMapper.shared().readTree(data);
        } catch (JacksonException e) {
            throw new LoadFailure("bad event", "an event of the stream is not JSON: " + data, e);
        }
        if (event.has("error")) {
            JsonNode error = event.path("error");
            throw new LoadFailure(
                    "stream error " + error.path("code").asString("unknown"),
                    error.path("message").asString(data));
        }
        for (JsonNode choice : event.path("choices")) {
            if (hasTokens(choice)) {
                sink.arrived();
            }
        }
        JsonNode usage = event.path("usage");
        if (usage.isObject()) {
            sink.counted(
                    usage.path("prompt_tokens").asInt(0),
                    usage.path("prompt_tokens_details").path("cached_tokens").asInt(0),
                    usage.path("completion_tokens").asInt(0));
        }
    }

    /// Ids tell of tokens without text. Servers that do not send them have text only.
    private static boolean hasTokens(JsonNode choice) {
        JsonNode delta = choice.path("delta");
        return !choice.path("token_ids").isEmpty()
                || hasText(choice.path("text"))
                || hasText(delta.path("content"))
                || hasText(delta.path("reasoning_content"));
    }

    private static boolean hasText(JsonNode node) {
        return node.isString() && !node.stringValue().isEmpty();
    }
}
