package io.shadowkv.checkpoint;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Checked access to `config.json` or an object inside it.
///
/// It does not depend on families or on the key styles of different transformers versions; family
/// readers interpret the values. A key whose value is JSON's `null` counts as absent. Every failure
/// is a [CheckpointException] that names the file, the key, what was expected and what was found.
/// Immutable and safe to share between threads.
public final class ModelConfig {
    private final String source;
    private final String prefix;
    private final JsonNode node;

    ModelConfig(String source, String prefix, JsonNode node) {
        this.source = source;
        this.prefix = prefix;
        this.node = node;
    }

    /// Reads the JSON object in `file`.
    ///
    /// @throws CheckpointException if the file is missing, too large, nested too deeply or not one JSON object
    public static ModelConfig read(Path file) {
        return new ModelConfig(String.valueOf(file.getFileName()), "", Json.object(file));
    }

    /// Reads the JSON object in `json`; `source` names it in messages.
    public static ModelConfig parse(String source, String json) {
        return new ModelConfig(source, "", Json.object(source, json.getBytes(StandardCharsets.UTF_8)));
    }

    /// The name of the file in messages.
    public String source() {
        return source;
    }

    /// Keys with a value that is not null, in the file's order.
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        node.properties().stream()
                .filter(entry -> !entry.getValue().isNull())
                .forEach(entry -> keys.add(entry.getKey()));
        return Collections.unmodifiableSet(keys);
    }

    /// True if the key is there, with a value or with null.
    public boolean states(String key) {
        return node.has(key);
    }

    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    public String string(String key) {
        return optionalString(key).orElseThrow(() -> wrong(key, "a string"));
    }

    public Optional<String> optionalString(String key) {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isString()) {
            throw wrong(key, "a string");
        }
        return Optional.of(value.stringValue());
    }

    /// Any value in the form used in messages; a string without its quotes.
    String text(String key) {
        JsonNode value = value(key);
        return value == null ? "missing" : value.isString() ? Json.shorten(value.stringValue()) : Json.describe(value);
    }

    /// A whole number within `int`; `4096.0` counts as whole.
    public int integer(String key) {
        return optionalInteger(key).orElseThrow(() -> wrong(key, "a whole number"));
    }

    public int integer(String key, int fallback) {
        return optionalInteger(key).orElse(fallback);
    }

    public OptionalInt optionalInteger(String key) {
        JsonNode value = value(key);
        return value == null ? OptionalInt.empty() : OptionalInt.of(toInt(key, value));
    }

    /// An [#integer] of at least 1: a count, a width, a length.
    public int positive(String key) {
        int value = integer(key);
        if (value < 1) {
            throw wrong(key, "a whole number of at least 1");
        }
        return value;
    }

    /// A finite number.
    public double number(String key) {
        return optionalNumber(key).orElseThrow(() -> wrong(key, "a number"));
    }

    public double number(String key, double fallback) {
        return optionalNumber(key).orElse(fallback);
    }

    public OptionalDouble optionalNumber(String key) {
        JsonNode value = value(key);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(toDouble(key, value));
    }

    public boolean bool(String key, boolean fallback) {
        return optionalBool(key).orElse(fallback);
    }

    public Optional<Boolean> optionalBool(String key) {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isBoolean()) {
            throw wrong(key, "true or false");
        }
        return Optional.of(value.booleanValue());
    }

    /// The object under `key`, such as `rope_scaling`; empty if there is none.
    public Optional<ModelConfig> object(String key) {
        JsonNode value = value(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isObject()) {
            throw wrong(key, "an object");
        }
        return Optional.of(new ModelConfig(source, prefix + key + ".", value));
    }

    /// An array of finite numbers, such as `long_factor`.
    public double[] doubles(String key) {
        JsonNode array = array(key, "an array of numbers");
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = toDouble(key, array.get(i));
        }
        return values;
    }

    /// An array of strings, such as `architectures`.
    public List<String> strings(String key) {
        List<String> values = new ArrayList<>();
        for (JsonNode element : array(key, "an array of strings")) {
            if (!element.isString()) {
                throw wrong(key, "an array of strings");
            }
            values.add(element.stringValue());
        }
        return List.copyOf(values);
    }

    /// One whole number or an array of them, such as `eos_token_id`; empty if there is no value. A
    /// `null` among them counts as absent.
    public List<Integer> integers(String key) {
        JsonNode value = value(key);
        List<Integer> values = new ArrayList<>();
        if (value != null && value.isArray()) {
            for (JsonNode element : value) {
                if (!element.isNull()) {
                    values.add(toInt(key, element));
                }
            }
        } else if (value != null) {
            values.add(toInt(key, value));
        }
        return List.copyOf(values);
    }

    /// Creates the exception for a value under `key` that has the right type but cannot be used; it
    /// names file, key and value.
    ///
    /// @param expected completes "expected …"
    public CheckpointException wrong(String key, String expected) {
        JsonNode value = value(key);
        return new CheckpointException(source + ": \"" + prefix + key + "\" is "
                + (value == null ? "missing" : Json.describe(value)) + "; expected " + expected);
    }

    private @Nullable JsonNode value(String key) {
        JsonNode value = node.get(key);
        return value == null || value.isNull() ? null : value;
    }

    private JsonNode array(String key, String expected) {
        JsonNode value = value(key);
        if (value == null || !value.isArray()) {
            throw wrong(key, expected);
        }
        return value;
    }

    private int toInt(String key, JsonNode value) {
        // Huge exponents must not be expanded to digits, so the double is checked first.
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number >= Integer.MIN_VALUE && number <= Integer.MAX_VALUE) || number != Math.rint(number)) {
            throw wrong(key, "a whole number between " + Integer.MIN_VALUE + " and " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    private double toDouble(String key, JsonNode value) {
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!Double.isFinite(number)) {
            throw wrong(key, "a finite number");
        }
        return number;
    }
}
