package io.shadowkv.text.grammar;

import io.shadowkv.text.Json;
import io.shadowkv.text.grammar.State.Counter;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// A JSON schema and its place in the whole.
///
/// @param pointer JSON pointer (RFC 6901)
record Schema(JsonNode node, String pointer) {
    /// Keywords that say nothing about which values are valid.
    private static final Set<String> ANNOTATIONS = Set.of(
            "title",
            "description",
            "default",
            "example",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "$comment",
            "$schema",
            "$defs",
            "definitions");

    boolean has(String keyword) {
        return node.has(keyword);
    }

    /// The value of a keyword that is a schema.
    Schema child(String keyword) {
        return new Schema(node.path(keyword), pointer + "/" + escaped(keyword));
    }

    /// The value of a key within the value of a keyword.
    Schema child(String keyword, String key) {
        return new Schema(node.path(keyword).path(key), pointer + "/" + escaped(keyword) + "/" + escaped(key));
    }

    /// The schemas of a keyword that is a list.
    List<Schema> children(String keyword) {
        JsonNode list = node.path(keyword);
        if (!list.isArray()) {
            throw malformed(keyword, "a list of schemas");
        }
        List<Schema> children = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            children.add(new Schema(list.path(i), pointer + "/" + keyword + "/" + i));
        }
        return children;
    }

    List<String> strings(String keyword) {
        JsonNode list = node.path(keyword);
        if (!list.isArray() || Json.elements(list).stream().anyMatch(one -> !one.isString())) {
            throw malformed(keyword, "a list of strings");
        }
        return Json.elements(list).stream().map(JsonNode::stringValue).toList();
    }

    String string(String keyword) {
        if (!node.path(keyword).isString()) {
            throw malformed(keyword, "a string");
        }
        return node.path(keyword).stringValue();
    }

    /// A count of 0 or more, or `absent` without the keyword.
    int count(String keyword, int absent) {
        if (!has(keyword)) {
            return absent;
        }
        BigDecimal value = number(keyword);
        if (value.signum() < 0 || value.stripTrailingZeros().scale() > 0) {
            throw malformed(keyword, "an integer of 0 or more");
        }
        return value.min(BigDecimal.valueOf(Counter.UNBOUNDED)).intValueExact();
    }

    BigDecimal number(String keyword) {
        if (!node.path(keyword).isNumber()) {
            throw malformed(keyword, "a number");
        }
        return node.path(keyword).decimalValue();
    }

    /// Refuses each keyword that is neither known here nor an annotation.
    void allowOnly(Set<String> keywords) {
        for (String keyword : node.propertyNames()) {
            boolean isIgnored = ANNOTATIONS.contains(keyword)
                    || keyword.startsWith("x-")
                    || keyword.equals("$id") && pointer.isEmpty();
            if (!isIgnored && !keywords.contains(keyword)) {
                throw refused(
                        keyword,
                        "is not supported" + (keywords.size() > 5 ? "" : " next to " + String.join(", ", keywords))
                                + ". Remove it");
            }
        }
    }

    GrammarException malformed(String keyword, String expected) {
        return refused(keyword, "is " + Json.text(node.path(keyword)) + "; expected " + expected);
    }

    GrammarException refused(String keyword, String message) {
        return new GrammarException(keyword, pointer, message);
    }

    private static String escaped(String key) {
        return key.replace("~", "~0").replace("/", "~1");
    }
}
