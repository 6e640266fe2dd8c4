package io.shadowkv.cpu.vector;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The vector width of this copy of the packages: the width in the name of its class loader,
/// otherwise the widest of the machine.
///
/// The compiler keeps vectors in registers only if the species is `static final`. Therefore there
/// is a copy of the packages for each width ([WidthLoader]) instead of a field of the backend.
public final class VectorWidth {
    public static final VectorSpecies<Float> FLOATS = species();
    public static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
    /// As many shorts as there are floats in a vector.
    static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
    /// Floats per vector.
    public static final int LANES = FLOATS.length();
    /// Byte order of every tensor.
    public static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

    private VectorWidth() {}

    private static VectorSpecies<Float> species() {
        String loader = VectorWidth.class.getClassLoader().getName();
        if (loader == null || !loader.startsWith(WidthLoader.NAME_PREFIX)) {
            return FloatVector.SPECIES_PREFERRED;
        }
        int bits = Integer.parseInt(loader.substring(WidthLoader.NAME_PREFIX.length()));
        return VectorSpecies.of(float.class, VectorShape.forBitSize(bits));
    }

    public static int bits() {
        return FLOATS.vectorBitSize();
    }

    static IntVector ints(int value) {
        return IntVector.broadcast(INTS, value);
    }

    public static FloatVector floats(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }

    public static FloatVector zero() {
        return FloatVector.zero(FLOATS);
    }

    /// Shorts zero-extended to ints.
    static IntVector widen(ShortVector shorts) {
        return (IntVector) shorts.convertShape(jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    }
}
