package io.shadowkv.cpu.vector;

/// Buffers of one thread, kept between operations and enlarged when needed. Their contents are
/// undefined.
@SuppressWarnings("EnumOrdinal") // buffers are looked up in inner loops, where an array index is fastest
public final class Scratch {
    private final float[][] floats = new float[Use.values().length][0];

    /// Returns at least `length` floats for `use`: the previous array if it is long enough.
    public float[] floats(Use use, int length) {
        float[] buffer = floats[use.ordinal()];
        if (buffer.length < length) {
            buffer = new float[Math.max(length, buffer.length + buffer.length / 2)];
            floats[use.ordinal()] = buffer;
        }
        return buffer;
    }

    /// The purpose of a buffer during an operation.
    public enum Use {
        ROW,
        SECOND_ROW,
        BROADCAST_ROWS,
        PANELS,
        VALUE_PANELS,
        TILE,
        SCORES,
        SUMS,
        STATE
    }
}
