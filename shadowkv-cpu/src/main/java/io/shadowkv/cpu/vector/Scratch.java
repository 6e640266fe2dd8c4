package io.shadowkv.cpu.vector;

/// Buffers of one thread, kept between operations and grown when needed; contents are whatever the last user
/// left.
@SuppressWarnings("EnumOrdinal") // a buffer is asked for in inner loops; an index is all it needs
public final class Scratch {
    private final float[][] floats = new float[Use.values().length][0];

    /// At least `length` floats for `use`; the same array as the last time if that was long enough.
    public float[] floats(Use use, int length) {
        float[] buffer = floats[use.ordinal()];
        if (buffer.length < length) {
            buffer = new float[Math.max(length, buffer.length + buffer.length / 2)];
            floats[use.ordinal()] = buffer;
        }
        return buffer;
    }

    /// What a buffer holds while an operation runs.
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
