package io.shadowkv.text.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Writes GGUF files of version 3 for tests. Values of the metadata are strings, ints, longs, floats, booleans,
/// and lists of one of them.
public final class GgufWriter {
    private static final int ALIGNMENT = 32;

    private record Entry(String name, int type, long[] extents, byte[] data) {}

    private final Map<String, Object> metadata = new LinkedHashMap<>();
    private final List<Entry> tensors = new ArrayList<>();

    public GgufWriter put(String key, Object value) {
        metadata.put(key, value);
        return this;
    }

    public GgufWriter remove(String key) {
        metadata.remove(key);
        return this;
    }

    /// @param type ggml's number of the type
    /// @param extents outermost first
    public GgufWriter tensor(String name, int type, byte[] data, long... extents) {
        tensors.add(new Entry(name, type, extents, data));
        return this;
    }

    /// An F32 tensor.
    public GgufWriter floats(String name, float[] values, long... extents) {
        ByteBuffer data = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return tensor(name, 0, data.array(), extents);
    }

    public GgufWriter removeTensor(String name) {
        tensors.removeIf(tensor -> tensor.name().equals(name));
        return this;
    }

    public Path write(Path file) {
        try {
            return Files.write(file, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public byte[] bytes() {
        var out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.ISO_8859_1));
        number(out, 4, 3);
        number(out, 8, tensors.size());
        number(out, 8, metadata.size());
        metadata.forEach((key, value) -> {
            text(out, key);
            number(out, 4, type(value));
            value(out, value);
        });
        long offset = 0;
        for (Entry tensor : tensors) {
            text(out, tensor.name());
            number(out, 4, tensor.extents().length);
            for (int i = tensor.extents().length - 1; i >= 0; i--) {
                number(out, 8, tensor.extents()[i]);
            }
            number(out, 4, tensor.type());
            number(out, 8, offset);
            offset += Math.ceilDiv(tensor.data().length, ALIGNMENT) * ALIGNMENT;
        }
        for (Entry tensor : tensors) {
            pad(out);
            out.writeBytes(tensor.data());
        }
        return out.toByteArray();
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % ALIGNMENT != 0) {
            out.write(0);
        }
    }

    private static int type(Object value) {
        return switch (value) {
            case String ignored -> 8;
            case Integer ignored -> 4;
            case Long ignored -> 10;
            case Float ignored -> 6;
            case Boolean ignored -> 7;
            case List<?> ignored -> 9;
            default -> throw new IllegalArgumentException("no type for " + value);
        };
    }

    private static void value(ByteArrayOutputStream out, Object value) {
        switch (value) {
            case String text -> text(out, text);
            case Integer number -> number(out, 4, number);
            case Long number -> number(out, 8, number);
            case Float number -> number(out, 4, Float.floatToIntBits(number));
            case Boolean truth -> out.write(truth ? 1 : 0);
            case List<?> list -> {
                number(out, 4, list.isEmpty() ? 4 : type(list.getFirst()));
                number(out, 8, list.size());
                list.forEach(element -> value(out, element));
            }
            default -> throw new IllegalArgumentException("no type for " + value);
        }
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        number(out, 8, bytes.length);
        out.writeBytes(bytes);
    }

    private static void number(ByteArrayOutputStream out, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >> 8 * i));
        }
    }
}
