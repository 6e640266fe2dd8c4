package io.shadowkv.checkpoint;

import io.shadowkv.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The parsed and checked JSON header of one safetensors file. Immutable.
///
/// Source of the rules: the format's description and the checks of the reference implementation
/// (huggingface/safetensors, `safetensors/src/tensor.rs`): ranges are ordered, adjacent, start at 0, fit shape
/// and type, and end where the file does.
///
/// @param entries by name, in the order of their data
/// @param metadata the free-form `__metadata__` strings
record SafetensorsHeader(Map<String, Entry> entries, Map<String, String> metadata) {
    private static final Map<String, DType> TYPES = Arrays.stream(DType.values())
            .collect(Collectors.toUnmodifiableMap(SafetensorsHeader::typeName, Function.identity()));

    private static final int MAX_RANK = 64;

    /// One tensor as the header states it; `end - begin` bytes of data, offsets counted from the end of the
    /// header.
    ///
    /// @param dtype null if the engine does not have the type (F8_E5M2 and others); such a tensor
    ///     cannot be viewed
    record Entry(String typeName, @Nullable DType dtype, long[] extents, long begin, long end) {
        /// @throws ArithmeticException if there are more than 2^63 elements
        long elements() {
            long elements = 1;
            for (long extent : extents) {
                elements = Math.multiplyExact(elements, extent);
            }
            return elements;
        }
    }

    /// The format's name of a type.
    static String typeName(DType type) {
        return type == DType.F8E4M3 ? "F8_E4M3" : type.name();
    }

    /// Names of all types whose tensors can be viewed.
    static String typeNames() {
        return Arrays.stream(DType.values()).map(SafetensorsHeader::typeName).collect(Collectors.joining(", "));
    }

    /// Rejects a header by its first byte, before it is copied.
    static void checkStart(String source, byte first) {
        if (first != '{') {
            throw new CheckpointException(
                    source + ": the header does not start with '{'; this is not a safetensors file");
        }
    }

    /// @param source names the file in messages
    /// @param header the JSON text
    /// @param dataBytes bytes that follow the header in the file
    /// @throws CheckpointException if any rule is broken
    static SafetensorsHeader parse(String source, byte[] header, long dataBytes) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser parser = Json.stream(header)) {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("__metadata__")) {
                    // The reference implementation treats null as absent metadata.
                    if (parser.currentToken() == JsonToken.VALUE_NULL) {
                        continue;
                    }
                    readMetadata(source, parser, metadata);
                } else {
                    entries.put(name, readEntry(source, name, parser));
                }
            }
            if (parser.nextToken() != null) {
                throw new CheckpointException(source + ": the header goes on after its JSON object");
            }
        } catch (JacksonException e) {
            throw Json.malformed(source + ": header", e);
        }
        return new SafetensorsHeader(checkLayout(source, entries, dataBytes), Map.copyOf(metadata));
    }

    private static void readMetadata(String source, JsonParser parser, Map<String, String> metadata) {
        require(source, "__metadata__", parser, JsonToken.START_OBJECT, "an object of strings");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            parser.nextToken();
            require(source, "__metadata__", parser, JsonToken.VALUE_STRING, "an object of strings");
            metadata.put(key, parser.getString());
        }
    }

    private static Entry readEntry(String source, String name, JsonParser parser) {
        String label = label(name);
        require(source, label, parser, JsonToken.START_OBJECT, "an object with dtype, shape and data_offsets");
        String typeName = null;
        long[] extents = null;
        long[] offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            parser.nextToken();
            switch (field) {
                case "dtype" -> {
                    require(source, label + " dtype", parser, JsonToken.VALUE_STRING, "a string");
                    typeName = parser.getString();
                }
                case "shape" -> extents = readLongs(source, label + " shape", parser);
                case "data_offsets" -> offsets = readLongs(source, label + " data_offsets", parser);
                default -> parser.skipChildren();
            }
        }
        if (typeName == null || extents == null || offsets == null || offsets.length != 2) {
            throw new CheckpointException(source + ": " + label + " needs dtype, shape and two data_offsets; found "
                    + "dtype " + typeName + ", shape " + Arrays.toString(extents) + ", data_offsets "
                    + Arrays.toString(offsets));
        }
        return new Entry(typeName, TYPES.get(typeName), extents, offsets[0], offsets[1]);
    }

    private static long[] readLongs(String source, String label, JsonParser parser) {
        require(source, label, parser, JsonToken.START_ARRAY, "an array of whole numbers");
        long[] values = new long[4];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            require(source, label, parser, JsonToken.VALUE_NUMBER_INT, "an array of whole numbers");
            long value = parser.getLongValue();
            if (value < 0 || count == MAX_RANK) {
                throw new CheckpointException(source + ": " + label
                        + (value < 0
                                ? " holds " + value + "; no extent or offset is negative"
                                : " has more than " + MAX_RANK + " numbers"));
            }
            values = count == values.length ? Arrays.copyOf(values, 2 * count) : values;
            values[count++] = value;
        }
        return Arrays.copyOf(values, count);
    }

    private static void require(String source, String label, JsonParser parser, JsonToken expected, String what) {
        if (parser.currentToken() != expected) {
            throw new CheckpointException(
                    source + ": " + label + " must be " + what + "; found " + parser.currentToken());
        }
    }

    /// Checks that every range follows the rules, and returns the entries in the order of their
    /// data.
    private static Map<String, Entry> checkLayout(String source, Map<String, Entry> entries, long dataBytes) {
        List<Map.Entry<String, Entry>> ordered = new ArrayList<>(entries.entrySet());
        ordered.sort(Comparator.comparingLong(
                        (Map.Entry<String, Entry> named) -> named.getValue().begin())
                .thenComparingLong(named -> named.getValue().end()));
        Map<String, Entry> byData = new LinkedHashMap<>();
        long end = 0;
        String previous = "the header";
        for (Map.Entry<String, Entry> named : ordered) {
            Entry entry = named.getValue();
            String label = label(named.getKey());
            checkSize(source, label, entry);
            if (entry.begin() != end) {
                throw new CheckpointException(source + ": " + label + " starts at data byte " + entry.begin() + " but "
                        + previous + " ends at " + end + "; data must neither overlap nor leave holes");
            }
            end = entry.end();
            previous = label;
            byData.put(named.getKey(), entry);
        }
        if (end > dataBytes) {
            throw new CheckpointException(source + ": the header promises " + end + " bytes of data, the file has "
                    + dataBytes + ". It is cut; fetch it again");
        }
        if (end < dataBytes) {
            throw new CheckpointException(
                    source + ": " + (dataBytes - end) + " bytes follow the last tensor; the header " + "accounts for "
                            + end + " bytes of data, the file has " + dataBytes);
        }
        return byData;
    }

    private static void checkSize(String source, String label, Entry entry) {
        if (entry.end() < entry.begin()) {
            throw new CheckpointException(source + ": " + label + " has data_offsets [" + entry.begin() + ", "
                    + entry.end() + "]; the end lies before the start");
        }
        DType dtype = entry.dtype();
        long found = entry.end() - entry.begin();
        try {
            long elements = entry.elements();
            if (dtype != null && Math.multiplyExact(elements, (long) dtype.bytes()) != found) {
                throw new CheckpointException(source + ": " + label + " is " + Arrays.toString(entry.extents()) + " "
                        + entry.typeName() + ", that is " + elements * dtype.bytes()
                        + " bytes, but its data_offsets span " + found);
            }
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    source + ": " + label + " is " + Arrays.toString(entry.extents()) + " "
                            + Json.shorten(entry.typeName()) + ", more than 2^63 bytes; its data_offsets span " + found,
                    e);
        }
    }

    static String label(String name) {
        return "tensor \"" + Json.shorten(name) + "\"";
    }
}
