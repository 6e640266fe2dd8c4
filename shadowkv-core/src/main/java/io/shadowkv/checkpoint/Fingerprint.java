package io.shadowkv.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/// A short hash that identifies a checkpoint without reading all of its weights. For one thread.
///
/// It covers every tensor's name, type, shape and size in bytes, and of its data up to sixteen
/// pieces of 256 bytes, evenly spaced, the first and the last bytes among them. Weights that were
/// trained further, merged, quantised or pruned give another value. A change of single values
/// between the pieces goes unnoticed.
final class Fingerprint {
    private static final int PIECES = 16;
    private static final int PIECE_BYTES = 256;
    private static final int SHOWN_BYTES = 8;

    private final MessageDigest digest;

    Fingerprint() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /// Adds a tensor. The hash depends on the order of the tensors.
    ///
    /// @param typeName as the file spells it
    /// @param data bytes of the tensor
    void add(String name, String typeName, long[] extents, MemorySegment data) {
        String stated = name + " " + typeName + " " + Arrays.toString(extents) + " " + data.byteSize();
        digest.update(stated.getBytes(StandardCharsets.UTF_8));
        long last = data.byteSize() - PIECE_BYTES;
        if (last <= (long) PIECE_BYTES * PIECES) {
            digest.update(data.toArray(ValueLayout.JAVA_BYTE));
            return;
        }
        for (int i = 0; i < PIECES; i++) {
            long at = i == PIECES - 1 ? last : last / (PIECES - 1) * i;
            digest.update(data.asSlice(at, PIECE_BYTES).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /// Sixteen hexadecimal digits.
    String text() {
        return HexFormat.of().formatHex(digest.digest(), 0, SHOWN_BYTES);
    }
}
