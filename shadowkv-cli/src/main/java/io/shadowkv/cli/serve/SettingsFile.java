package io.shadowkv.cli.serve;

import io.shadowkv.cli.process.UserFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgSpec;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A JSON object whose keys are names of options without their dashes. Comments are allowed.
final class SettingsFile {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private SettingsFile() {}

    /// Reads the values of each option in the file.
    ///
    /// @param known the options by their keys
    /// @throws IllegalArgumentException if the file is missing or malformed, or has an unknown key or a
    ///     value of another type; the message names the file and the key
    static Map<String, List<String>> read(Path file, Map<String, ArgSpec> known) {
        Map<String, List<String>> settings = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : parse(file).properties()) {
            ArgSpec option = known.get(entry.getKey());
            String where = file + ": \"" + entry.getKey() + "\"";
            if (option == null) {
                throw new IllegalArgumentException(where + " is not a setting of serve; there are "
                        + known.keySet().stream().sorted().collect(Collectors.joining(", ")));
            }
            settings.put(entry.getKey(), values(where, option, entry.getValue()));
        }
        return settings;
    }

    private static JsonNode parse(Path file) {
        if (!Files.exists(file)) {
            throw new IllegalArgumentException(file + ": no such file. Check the name given with --config");
        }
        try {
            JsonNode root = JSON.readTree(UserFile.bytes(file));
            if (!root.isObject()) {
                throw new IllegalArgumentException(
                        file + ": expected a JSON object such as {\"port\": 8080}; found " + kind(root));
            }
            return root;
        } catch (JacksonException e) {
            var at = e.getLocation();
            // Jackson's message can contain text of the file, and so a client's key.
            throw new IllegalArgumentException(file + ": not a JSON object at line " + at.getLineNr() + ", column "
                    + at.getColumnNr() + ". Check quotes and commas there, and that no key stands twice");
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<String> values(String where, ArgSpec option, JsonNode value) {
        List<String> values = new ArrayList<>();
        if (option.isMultiValue() && value.isArray()) {
            value.forEach(element -> values.add(scalar(where, option, element)));
        } else {
            values.add(scalar(where, option, value));
        }
        return values;
    }

    private static String scalar(String where, ArgSpec option, JsonNode value) {
        SettingType type = SettingType.of(option);
        boolean fits = switch (type) {
            case FLAG -> value.isBoolean();
            case WHOLE_NUMBER -> value.isIntegralNumber();
            case TEXT -> value.isString() || value.isNumber();
        };
        if (!fits) {
            throw new IllegalArgumentException(where + " is " + kind(value) + "; expected " + type.expected(option));
        }
        return value.asString();
    }

    private static String kind(JsonNode value) {
        return switch (value.getNodeType()) {
            case ARRAY -> "a list";
            case BOOLEAN -> "true or false";
            case NULL, MISSING -> "null";
            case NUMBER -> "a number" + (value.isIntegralNumber() ? "" : " with a fraction");
            case OBJECT, POJO -> "an object";
            case STRING, BINARY -> "a text";
        };
    }
}
