package io.shadowkv.eval.rows;

import io.shadowkv.eval.Json;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The lines of questions and answers.
final class RowJson {
    private static final Set<String> NAMES = Set.of("key", "document", "question", "options");
    private static final int SHOWN = 200;

    private RowJson() {}

    /// The line of a question.
    ///
    /// @param hasDocument false if its document is that of the row before
    static String line(RowQuestion row, boolean hasDocument) {
        ObjectNode line = Json.SNAKE_CASE.createObjectNode();
        line.set("key", Json.SNAKE_CASE.readTree(row.key()));
        if (hasDocument) {
            line.put("document", row.document());
        }
        line.put("question", row.question());
        if (row.options() != null) {
            line.put("options", row.options());
        }
        return Json.SNAKE_CASE.writeValueAsString(line);
    }

    /// @param before document of the row before; null for the first row
    /// @throws IllegalArgumentException if the line is not a question; the message does not say which line
    static RowQuestion question(String line, @Nullable String before) {
        JsonNode row = tree(line);
        if (!row.isObject()) {
            throw new IllegalArgumentException("\"" + shown(line) + "\" is not a row; " + expected());
        }
        for (String name : row.propertyNames()) {
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException("the row has the unknown field \"" + name + "\"; " + expected());
            }
        }
        JsonNode key = row.path("key");
        if (!key.isString() && !key.isIntegralNumber()) {
            throw new IllegalArgumentException("the row's key is " + (key.isMissingNode() ? "missing" : key)
                    + "; give a text or a whole number, so that its answer can be told from others");
        }
        String document = row.hasNonNull("document") ? text(row, "document") : before;
        if (document == null) {
            throw new IllegalArgumentException("the first row has no \"document\"; only rows after another one can"
                    + " leave it out, and then have its document");
        }
        JsonNode options = row.path("options");
        return new RowQuestion(
                key.toString(),
                document,
                text(row, "question"),
                options.isMissingNode() || options.isNull()
                        ? null
                        : options.isString() ? options.stringValue() : options.toString());
    }

    private static String text(JsonNode row, String name) {
        JsonNode value = row.path(name);
        if (!value.isString()) {
            throw new IllegalArgumentException("the row's " + name + " is "
                    + (value.isMissingNode() ? "missing" : shown(value.toString())) + "; expected a text");
        }
        return value.stringValue();
    }

    private static JsonNode tree(String line) {
        try {
            return Json.SNAKE_CASE.readTree(line);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    "\"" + shown(line) + "\" is not JSON: " + e.getOriginalMessage() + "; " + expected(), e);
        }
    }

    private static String expected() {
        return "expected {\"key\": ..., \"document\": \"...\", \"question\": \"...\", \"options\": {...}}";
    }

    private static String shown(String line) {
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
    }

    static String line(RowAnswer answer) {
        ObjectNode line = Json.SNAKE_CASE.createObjectNode();
        line.set("key", Json.SNAKE_CASE.readTree(answer.key()));
        if (answer.error() != null) {
            line.put("error", answer.error());
        } else {
            line.put("answer", answer.answer());
            line.put("finish", answer.finish());
            line.put("prompt_tokens", answer.promptTokens());
            line.put("cached_tokens", answer.cachedTokens());
            line.put("new_tokens", answer.newTokens());
        }
        return Json.SNAKE_CASE.writeValueAsString(line);
    }

    /// @throws IllegalArgumentException if the line is not an answer
    static RowAnswer answer(String line) {
        JsonNode row = tree(line);
        if (!row.has("key")) {
            throw new IllegalArgumentException("\"" + shown(line) + "\", which is not an answer");
        }
        return new RowAnswer(
                row.path("key").toString(),
                row.path("answer").stringValue(null),
                row.path("error").stringValue(null),
                row.path("finish").stringValue(null),
                row.path("prompt_tokens").intValue(0),
                row.path("cached_tokens").intValue(0),
                row.path("new_tokens").intValue(0));
    }

    /// A worker's first line.
    static String ready(int protocol) {
        return "{\"ready\":" + protocol + "}";
    }

    /// The version that a worker is ready with.
    ///
    /// @throws IllegalArgumentException if the line is another message
    static int readyProtocol(String line) {
        JsonNode ready = tree(line).path("ready");
        if (!ready.isInt()) {
            throw new IllegalArgumentException("\"" + shown(line) + "\" instead of \"ready\"");
        }
        return ready.intValue();
    }
}
