package io.shadowkv.eval.worker;

import io.shadowkv.eval.Json;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.OpenItem;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;

/// The messages between a run and its worker. Each is a JSON object with one property, on one line.
final class WorkerMessages {
    private static final int SHOWN = 200;

    private WorkerMessages() {}

    sealed interface Message {
        /// The value of the property.
        Object content();

        /// The name of the property.
        default String kind() {
            return switch (this) {
                case Started _ -> "ready";
                case Ask _ -> "ask";
                case Reading _ -> "reading";
                case Alive _ -> "alive";
                case Answers _ -> "answers";
                case Failed _ -> "error";
            };
        }
    }

    record Started(Ready content) implements Message {}

    record Ask(List<OpenItem> content) implements Message {}

    record Reading(Double content) implements Message {}

    /// Sent every few seconds: a worker that sends nothing for a long time hangs.
    record Alive(Boolean content) implements Message {}

    record Answers(List<AnswerRecord> content) implements Message {}

    record Failed(Fault content) implements Message {}

    static String line(Message message) {
        return Json.SNAKE_CASE.writeValueAsString(Map.of(message.kind(), message.content()));
    }

    /// Parses a line.
    ///
    /// @throws IOException if the line is not a message; the exception's message quotes the line
    static Message parse(String line) throws IOException {
        try {
            JsonNode tree = Json.SNAKE_CASE.readTree(line);
            if (tree.isObject() && tree.size() == 1) {
                String kind = tree.propertyNames().iterator().next();
                return message(kind, tree.get(kind));
            }
            throw new IOException("\"" + shown(line) + "\", which is not a message");
        } catch (JacksonException e) {
            throw new IOException("\"" + shown(line) + "\", which is not a message: " + e.getOriginalMessage(), e);
        }
    }

    private static Message message(String kind, JsonNode content) throws IOException {
        return switch (kind) {
            case "ready" -> new Started(Json.SNAKE_CASE.treeToValue(content, Ready.class));
            case "ask" -> new Ask(Json.SNAKE_CASE.treeToValue(content, new TypeReference<List<OpenItem>>() {}));
            case "reading" -> new Reading(Json.SNAKE_CASE.treeToValue(content, Double.class));
            case "alive" -> new Alive(Json.SNAKE_CASE.treeToValue(content, Boolean.class));
            case "answers" ->
                new Answers(Json.SNAKE_CASE.treeToValue(content, new TypeReference<List<AnswerRecord>>() {}));
            case "error" -> new Failed(Json.SNAKE_CASE.treeToValue(content, Fault.class));
            default -> throw new IOException("a message of the unknown kind \"" + kind + "\"");
        };
    }

    private static String shown(String line) {
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
    }
}
