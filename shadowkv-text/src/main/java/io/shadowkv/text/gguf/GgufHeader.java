package io.shadowkv.text.gguf;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/// The header of a GGUF file, read and checked completely: every length lies inside the file, and
/// no name occurs twice. Types and places of the tensors are not checked here. Immutable.
///
/// Accessors of metadata throw a [GgufException] if the value has another type; it names file, key
/// and value.
public final class GgufHeader {
    private static final byte[] MAGIC = "GGUF".getBytes(StandardCharsets.ISO_8859_1);

    private final Path file;
    private final Map<String, Object> metadata;
    private final List<GgufTensor> tensors;
    private final long dataStart;

    /// @param dataStart byte at which the data of the tensors starts
    GgufHeader(Path file, Map<String, Object> metadata, List<GgufTensor> tensors, long dataStart) {
        this.file = file;
        this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        this.tensors = List.copyOf(tensors);
        this.dataStart = dataStart;
    }

    /// True if `file` is a regular file that starts as GGUF files do, or that has their suffix.
    public static boolean isGguf(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        if (file.toString().endsWith(".gguf")) {
            return true;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return java.util.Arrays.equals(MAGIC, in.readNBytes(MAGIC.length));
        } catch (IOException e) {
            throw new GgufException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /// Reads the header of a file.
    ///
    /// @throws GgufException if the file cannot be read or violates the format
    public static GgufHeader read(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new GgufReader(file, mapped).header();
        } catch (IOException e) {
            throw new GgufException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    public Path file() {
        return file;
    }

    /// The file's name, for messages.
    public String source() {
        return String.valueOf(file.getFileName());
    }

    /// Keys of the metadata, in the file's order.
    public Set<String> keys() {
        return metadata.keySet();
    }

    /// The tensors in the file's order.
    public List<GgufTensor> tensors() {
        return tensors;
    }

    public long dataStart() {
        return dataStart;
    }

    public boolean has(String key) {
        return metadata.containsKey(key);
    }

    public Optional<String> string(String key) {
        return value(key, String.class, "a string");
    }

    public Optional<Boolean> bool(String key) {
        return value(key, Boolean.class, "true or false");
    }

    /// A whole number of any width.
    public OptionalLong integer(String key) {
        return value(key, Long.class, "a whole number").stream()
                .mapToLong(Long::longValue)
                .findFirst();
    }

    /// A number, whole or not.
    public OptionalDouble number(String key) {
        return value(key, Number.class, "a number").stream()
                .mapToDouble(Number::doubleValue)
                .findFirst();
    }

    /// An array of strings.
    public Optional<List<String>> strings(String key) {
        return list(key, String.class, "an array of strings");
    }

    /// An array of numbers.
    public Optional<List<Number>> numbers(String key) {
        return list(key, Number.class, "an array of numbers");
    }

    /// True if the value is an array.
    public boolean isArray(String key) {
        return metadata.get(key) instanceof List<?>;
    }

    /// The exception for a value that cannot be used; it names file, key and value.
    ///
    /// @param expected completes "expected …"
    public GgufException wrong(String key, String expected) {
        Object value = metadata.get(key);
        String found = value == null
                ? "missing"
                : value instanceof List<?> list
                        ? "an array of " + list.size()
                        : "\"" + shorten(value.toString()) + "\"";
        return new GgufException(source() + ": the metadata's \"" + key + "\" is " + found + "; expected " + expected);
    }

    private <T> Optional<T> value(String key, Class<T> type, String expected) {
        Object value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!type.isInstance(value)) {
            throw wrong(key, expected);
        }
        return Optional.of(type.cast(value));
    }

    private <T> Optional<List<T>> list(String key, Class<T> type, String expected) {
        Object value = metadata.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof List<?> list) || !list.stream().allMatch(type::isInstance)) {
            throw wrong(key, expected);
        }
        return Optional.of(list.stream().map(type::cast).toList());
    }

    static String shorten(String text) {
        return text.length() <= 160 ? text : text.substring(0, 160) + "…";
    }
}
