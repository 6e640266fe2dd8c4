package io.shadowkv.text.grammar;

import io.shadowkv.text.Json;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.time.Duration;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// Whether a JSON value is valid under a schema: the plain reading of JSON schema, without an
/// automaton.
final class SchemaValidator {
    private final JsonNode root;

    SchemaValidator(JsonNode root) {
        this.root = root;
    }

    boolean isValid(JsonNode value) {
        return isValid(root, value);
    }

    private boolean isValid(JsonNode schema, JsonNode value) {
        if (schema.isBoolean()) {
            return schema.booleanValue();
        }
        return isOfType(schema.path("type"), value)
                && (!schema.has("$ref")
                        || isValid(root.at(schema.path("$ref").stringValue().substring(1)), value))
                && (!schema.has("anyOf") || isValidUnderOne(schema.path("anyOf"), value))
                && (!schema.has("oneOf") || isValidUnderOne(schema.path("oneOf"), value))
                && Json.elements(schema.path("allOf")).stream().allMatch(one -> isValid(one, value))
                && (!schema.has("enum") || Json.elements(schema.path("enum")).contains(value))
                && (!schema.has("const") || schema.path("const").equals(value))
                && isValidObject(schema, value)
                && isValidArray(schema, value)
                && isValidString(schema, value)
                && isValidNumber(schema, value);
    }

    private boolean isValidUnderOne(JsonNode schemas, JsonNode value) {
        return Json.elements(schemas).stream().anyMatch(one -> isValid(one, value));
    }

    private static boolean isOfType(JsonNode type, JsonNode value) {
        if (type.isMissingNode()) {
            return true;
        }
        if (type.isArray()) {
            return Json.elements(type).stream().anyMatch(one -> isOfType(one, value));
        }
        return switch (type.stringValue()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isString();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> throw new IllegalArgumentException(type.toString());
        };
    }

    private boolean isValidObject(JsonNode schema, JsonNode value) {
        if (!value.isObject()) {
            return true;
        }
        for (JsonNode name : schema.path("required")) {
            if (!value.has(name.stringValue())) {
                return false;
            }
        }
        JsonNode properties = schema.path("properties");
        JsonNode additional = schema.path("additionalProperties");
        return value.properties().stream()
                .allMatch(entry -> properties.has(entry.getKey())
                        ? isValid(properties.path(entry.getKey()), entry.getValue())
                        : additional.isMissingNode() || isValid(additional, entry.getValue()));
    }

    private boolean isValidArray(JsonNode schema, JsonNode value) {
        if (!value.isArray()) {
            return true;
        }
        List<JsonNode> prefix = Json.elements(schema.path("prefixItems"));
        for (int i = 0; i < value.size(); i++) {
            JsonNode item = i < prefix.size() ? prefix.get(i) : schema.path("items");
            if (!item.isMissingNode() && !isValid(item, value.path(i))) {
                return false;
            }
        }
        return value.size() >= schema.path("minItems").asInt(0)
                && value.size() <= schema.path("maxItems").asInt(Integer.MAX_VALUE);
    }

    private static boolean isValidString(JsonNode schema, JsonNode value) {
        if (!value.isString()) {
            return true;
        }
        String text = value.stringValue();
        int length = text.codePointCount(0, text.length());
        return length >= schema.path("minLength").asInt(0)
                && length <= schema.path("maxLength").asInt(Integer.MAX_VALUE)
                && (!schema.has("pattern")
                        || Pattern.compile(schema.path("pattern").stringValue())
                                .matcher(text)
                                .find())
                && hasFormat(schema.path("format").asString(""), text);
    }

    private static boolean hasFormat(String format, String text) {
        try {
            Object read = switch (format) {
                case "date" -> LocalDate.parse(text);
                case "time" -> OffsetTime.parse(clamped(text));
                case "date-time" -> OffsetDateTime.parse(clamped(text));
                case "uuid" -> UUID.fromString(text);
                case "ipv4", "ipv6" -> InetAddress.ofLiteral(text);
                case "duration" -> text.contains("T") ? Duration.parse("PT" + text.split("T")[1]) : text;
                default -> text;
            };
            return read != null;
        } catch (RuntimeException e) {
            return false;
        }
    }

    /// Java knows offsets up to 18 hours only.
    private static String clamped(String text) {
        return text.replaceFirst("([+-])(1[89]|2[0-3]):[0-5][0-9]$", "$117:00");
    }

    private static boolean isValidNumber(JsonNode schema, JsonNode value) {
        if (!value.isNumber()) {
            return true;
        }
        BigDecimal number = value.decimalValue();
        return (!schema.has("minimum")
                        || number.compareTo(schema.path("minimum").decimalValue()) >= 0)
                && (!schema.has("maximum")
                        || number.compareTo(schema.path("maximum").decimalValue()) <= 0)
                && (!schema.has("exclusiveMinimum")
                        || number.compareTo(schema.path("exclusiveMinimum").decimalValue()) > 0)
                && (!schema.has("exclusiveMaximum")
                        || number.compareTo(schema.path("exclusiveMaximum").decimalValue()) < 0);
    }
}
