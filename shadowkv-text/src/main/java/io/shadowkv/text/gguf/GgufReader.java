package io.shadowkv.text.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads one header. Every count and length is compared with the bytes that are left before
/// anything is allocated. For one thread.
final class GgufReader {
    private static final int MAGIC = 0x4655_4747;
    private static final int OLDEST = 2;
    private static final int NEWEST = 3;
    private static final int MOST_EXTENTS = 4;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MOST_DEPTH = 4;
    /// Bytes of a tensor with an empty name and no extents: name length, count, type, offset.
    private static final int LEAST_TENSOR_BYTES = 24;
    /// Bytes of an entry with an empty key: key length, type, one byte.
    private static final int LEAST_ENTRY_BYTES = 13;

    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Path file;
    private final MemorySegment bytes;
    private long at;

    GgufReader(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    GgufHeader header() {
        if (bytes.byteSize() < 24 || u32() != MAGIC) {
            throw wrong("is not a GGUF file: it has " + bytes.byteSize()
                    + " bytes and does not start with \"GGUF\" and a header. Fetch it again");
        }
        int version = u32();
        if (version < OLDEST || version > NEWEST) {
            throw wrong("is GGUF version " + Integer.toUnsignedString(version)
                    + (Integer.reverseBytes(version) <= NEWEST && version != 1 && version != 0
                            ? ", written in big-endian order"
                            : "")
                    + "; this engine reads versions 2 and 3 in little-endian order. Convert the model again");
        }
        long tensorCount = count("tensors", LEAST_TENSOR_BYTES);
        long entryCount = count("metadata entries", LEAST_ENTRY_BYTES);
        Map<String, Object> metadata = new LinkedHashMap<>();
        for (long i = 0; i < entryCount; i++) {
            String key = string("the key of metadata entry " + i);
            Object value = value(u32(), "the metadata's \"" + GgufHeader.shorten(key) + "\"", 0);
            if (metadata.put(key, value) != null) {
                throw wrong("the metadata has \"" + GgufHeader.shorten(key) + "\" twice");
            }
        }
        List<GgufTensor> tensors = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (long i = 0; i < tensorCount; i++) {
            GgufTensor tensor = tensor(i);
            if (!names.add(tensor.name())) {
                throw wrong("the header has the tensor \"" + GgufHeader.shorten(tensor.name()) + "\" twice");
            }
            tensors.add(tensor);
        }
        return new GgufHeader(file, metadata, tensors, dataStart(metadata));
    }

    private long dataStart(Map<String, Object> metadata) {
        Object stated = metadata.getOrDefault("general.alignment", (long) DEFAULT_ALIGNMENT);
        if (!(stated instanceof Long alignment)
                || alignment < 1
                || alignment > 1 << 20
                || Long.bitCount(alignment) != 1) {
            throw wrong("the metadata's \"general.alignment\" is " + GgufHeader.shorten(stated.toString())
                    + "; expected a power of two of at most 1048576");
        }
        return Math.ceilDiv(at, alignment) * alignment;
    }

    private GgufTensor tensor(long index) {
        String name = string("the name of tensor " + index);
        String what = "the tensor \"" + GgufHeader.shorten(name) + "\"";
        int count = u32();
        if (count < 1 || count > MOST_EXTENTS) {
            throw wrong(what + " has " + Integer.toUnsignedString(count) + " extents; expected 1 to " + MOST_EXTENTS);
        }
        long[] extents = new long[count];
        for (int i = count - 1; i >= 0; i--) {
            extents[i] = i64();
            if (extents[i] < 1) {
                throw wrong(what + " has an extent of " + Long.toUnsignedString(extents[i]) + "; expected 1 or more");
            }
        }
        return new GgufTensor(name, extents, u32(), i64());
    }

    private Object value(int type, String what, int depth) {
        return switch (type) {
            case 0 -> (long) (take(1, what) & 0xFF);
            case 1 -> (long) take(1, what);
            case 2 -> (long) (bytes.get(JAVA_SHORT_UNALIGNED, advance(2, what)) & 0xFFFF);
            case 3 -> (long) bytes.get(JAVA_SHORT_UNALIGNED, advance(2, what));
            case 4 -> bytes.get(JAVA_INT_UNALIGNED, advance(4, what)) & 0xFFFF_FFFFL;
            case 5 -> (long) bytes.get(JAVA_INT_UNALIGNED, advance(4, what));
            // The shortest decimal: an epsilon of 1e-5 is then the same number as in config.json.
            case 6 -> Double.parseDouble(Float.toString(bytes.get(JAVA_FLOAT_UNALIGNED, advance(4, what))));
            case 7 -> take(1, what) != 0;
            case STRING -> string(what);
            case ARRAY -> array(what, depth);
            case 10, 11 -> bytes.get(JAVA_LONG_UNALIGNED, advance(8, what));
            case 12 -> bytes.get(JAVA_DOUBLE_UNALIGNED, advance(8, what));
            default ->
                throw wrong(what + " has the type " + Integer.toUnsignedString(type)
                        + "; expected 0 to 12. The file is damaged or of a later version");
        };
    }

    private List<Object> array(String what, int depth) {
        int type = bytes.get(JAVA_INT_UNALIGNED, advance(4, what));
        long count = i64();
        int least = leastBytes(type);
        if (depth == MOST_DEPTH || count < 0 || count > (bytes.byteSize() - at) / least) {
            throw wrong(what + " claims an array of " + Long.toUnsignedString(count) + " elements with " + depth
                    + " arrays around it, where " + (bytes.byteSize() - at)
                    + " bytes are left. The file is cut or damaged; fetch it again");
        }
        List<Object> values = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            values.add(value(type, what, depth + 1));
        }
        return values;
    }

    private static int leastBytes(int type) {
        return switch (type) {
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case STRING, 10, 11, 12 -> 8;
            case ARRAY -> 12;
            default -> 1;
        };
    }

    private long count(String what, int leastBytes) {
        long count = i64();
        if (count < 0 || count > (bytes.byteSize() - at) / leastBytes) {
            throw wrong("the header claims " + Long.toUnsignedString(count) + " " + what + " where "
                    + (bytes.byteSize() - at) + " bytes are left. The file is cut or damaged; fetch it again");
        }
        return count;
    }

    private String string(String what) {
        long length = i64();
        if (length < 0 || length > bytes.byteSize() - at || length > Integer.MAX_VALUE - 8) {
            throw wrong(what + " claims " + Long.toUnsignedString(length) + " bytes of text where "
                    + (bytes.byteSize() - at) + " are left. The file is cut or damaged; fetch it again");
        }
        byte[] text = bytes.asSlice(advance(length, what), length).toArray(JAVA_BYTE);
        return new String(text, StandardCharsets.UTF_8);
    }

    private int u32() {
        return bytes.get(JAVA_INT_UNALIGNED, advance(Integer.BYTES, "the header"));
    }

    private long i64() {
        return bytes.get(JAVA_LONG_UNALIGNED, advance(Long.BYTES, "the header"));
    }

    private byte take(int count, String what) {
        return bytes.get(JAVA_BYTE, advance(count, what));
    }

    /// Returns the current place and moves behind it.
    private long advance(long count, String what) {
        if (count > bytes.byteSize() - at) {
            throw wrong(what + " needs " + count + " bytes where " + (bytes.byteSize() - at)
                    + " are left. The file is cut or damaged; fetch it again");
        }
        long place = at;
        at += count;
        return place;
    }

    private GgufException wrong(String finding) {
        return new GgufException(file.getFileName() + ": " + finding);
    }
}
