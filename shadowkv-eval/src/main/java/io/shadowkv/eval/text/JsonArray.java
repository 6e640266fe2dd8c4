package io.shadowkv.eval.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// A published file that is one JSON list of objects. Only offsets and a few short fields are kept
/// in memory.
///
/// Does not keep the file open. Thread-safe.
///
/// @param entries the objects in order
public record JsonArray(Path file, List<Entry> entries) {
    /// The position of an object.
    ///
    /// @param number number of the object in the list, from 1
    /// @param start offset of its first byte in the file
    /// @param end offset after its last byte
    /// @param fields the requested short fields
    public record Entry(int number, long start, long end, Map<String, String> fields) {}

    /// Finds the objects of a file.
    ///
    /// @param fields names of the fields to keep
    /// @throws IllegalArgumentException if it is not a list of objects
    /// @throws UncheckedIOException if it cannot be read
    public static JsonArray open(Path file, Set<String> fields) {
        List<Entry> entries = new ArrayList<>();
        try (var bytes = Files.newInputStream(file);
                JsonParser parser = LargeJson.MAPPER.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_ARRAY) {
                throw new IllegalArgumentException(file + ": is not a JSON list. Download the published file again");
            }
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                entries.add(entry(parser, entries.size() + 1, fields));
            }
            if (parser.currentToken() != JsonToken.END_ARRAY) {
                throw new IllegalArgumentException(file + ", entry " + (entries.size() + 1)
                        + ": is not a JSON object. Download the published file again");
            }
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + ", entry " + (entries.size() + 1) + ": is not JSON (" + e.getOriginalMessage()
                            + "). Download the published file again",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new JsonArray(file, entries);
    }

    /// Skips long texts without creating strings.
    private static Entry entry(JsonParser parser, int number, Set<String> fields) {
        long start = parser.currentTokenLocation().getByteOffset();
        Map<String, String> kept = new HashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String field = parser.currentName();
            JsonToken value = parser.nextToken();
            if (value == JsonToken.VALUE_STRING && fields.contains(field)) {
                kept.put(field, parser.getString());
            }
            parser.skipChildren();
        }
        return new Entry(number, start, parser.currentLocation().getByteOffset(), Map.copyOf(kept));
    }

    /// Reads an object.
    ///
    /// @throws UncheckedIOException if it cannot be read
    public JsonRow read(Entry entry) {
        return new JsonRow(
                LargeJson.MAPPER.readTree(LargeJson.bytes(file, entry.start, entry.end)),
                file + ", entry " + entry.number);
    }
}
