package io.shadowkv.cpu.vector;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Loads bytes of memory as vectors of ints, one byte a lane.
///
/// A vector of 4 lanes needs 4 bytes, and the smallest vector of bytes has 8: it is made of one int
/// by shifts, so that nothing behind the 4 bytes is read.
public final class Codes {
    /// Whether a vector has fewer lanes than the smallest vector of bytes.
    public static final boolean IS_NARROW = VectorWidth.LANES < 8;
    /// As many bytes as a vector of ints has lanes, unless it is narrow.
    public static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, VectorWidth.FLOATS.vectorBitSize() / 4)));
    /// Shifts that bring byte i of an int to the lowest place in lane i.
    public static final IntVector DOWN = VectorWidth.ints(0).addIndex(Byte.SIZE);
    /// Shifts that bring byte i of an int to the highest place in lane i.
    public static final IntVector UP =
            VectorWidth.ints(Integer.SIZE - Byte.SIZE).sub(DOWN);

    private Codes() {}

    /// Bytes without a sign.
    public static IntVector unsigned(MemorySegment segment, long at) {
        if (IS_NARROW) {
            return VectorWidth.ints(segment.get(JAVA_INT_UNALIGNED, at))
                    .lanewise(VectorOperators.LSHR, DOWN)
                    .and(0xFF);
        }
        return (IntVector) ByteVector.fromMemorySegment(BYTES, segment, at, VectorWidth.ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, VectorWidth.INTS, 0);
    }

    /// Bytes with a sign.
    public static IntVector signed(MemorySegment segment, long at) {
        if (IS_NARROW) {
            return VectorWidth.ints(segment.get(JAVA_INT_UNALIGNED, at))
                    .lanewise(VectorOperators.LSHL, UP)
                    .lanewise(VectorOperators.ASHR, Integer.SIZE - Byte.SIZE);
        }
        return (IntVector) ByteVector.fromMemorySegment(BYTES, segment, at, VectorWidth.ORDER)
                .convertShape(VectorOperators.B2I, VectorWidth.INTS, 0);
    }

    /// The same numbers as floats.
    public static FloatVector floats(IntVector numbers) {
        return (FloatVector) numbers.convert(VectorOperators.I2F, 0);
    }
}
