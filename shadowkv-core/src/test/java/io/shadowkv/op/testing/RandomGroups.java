package io.shadowkv.op.testing;

import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Weights of random codes with scales in tensors of their own, with magnitudes around 1.
public final class RandomGroups {
    private RandomGroups() {}

    /// @param scaleType BF16, F16 or F32
    public static GroupedWeight of(SplittableRandom random, CodeLayout layout, Groups groups, DType scaleType) {
        int outputs = groups.outputs();
        int inputs = groups.inputs();
        Tensor codes = switch (layout) {
            case F8E4M3 -> bytes(random, DType.F8E4M3, outputs, inputs);
            case I8 -> bytes(random, DType.I8, outputs, inputs);
            case PACKED_8 -> bytes(random, DType.I32, outputs, Math.ceilDiv(inputs, 4));
            case PACKED_4 -> bytes(random, DType.I32, outputs, Math.ceilDiv(inputs, 8));
            case GPTQ_4 -> bytes(random, DType.I32, inputs / 8, outputs);
            case AWQ_4 -> bytes(random, DType.I32, inputs, outputs / 8);
        };
        int[] scaleExtents = layout.isTransposed()
                ? new int[] {groups.inputGroups(), outputs}
                : new int[] {groups.outputGroups(), groups.inputGroups()};
        Tensor scales = allocate(scaleType, scaleExtents);
        double around = layout == CodeLayout.F8E4M3 ? 0.02 : layout.bits() == 8 ? 0.01 : 0.2;
        for (int i = 0; i < scales.elements(); i++) {
            Floats.set(scaleType, scales.segment(), i, around * random.nextDouble(0.5, 1.5));
        }
        Tensor zeros = layout.isTransposed() ? bytes(random, DType.I32, groups.inputGroups(), outputs / 8) : null;
        return GroupedWeight.of(layout, codes, scales, zeros, groups);
    }

    /// The same weight with the columns of each group at random places.
    public static GroupedWeight ordered(SplittableRandom random, GroupedWeight weight) {
        int[] order = new int[weight.inputs()];
        for (int i = 0; i < order.length; i++) {
            int place = random.nextInt(i + 1);
            order[i] = order[place];
            order[place] = i / weight.shape().groupInputs();
        }
        Tensor groups = allocate(DType.I32, order.length);
        groups.segment().copyFrom(MemorySegment.ofArray(order));
        return weight.ordered(groups);
    }

    private static Tensor allocate(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        // One byte in front: tensors of a checkpoint need not be aligned.
        MemorySegment segment = Arena.ofAuto().allocate(shape.elements() * dtype.bytes() + 1, 64);
        return Tensor.of(dtype, shape, segment.asSlice(1));
    }

    private static Tensor bytes(SplittableRandom random, DType dtype, int... extents) {
        Tensor tensor = allocate(dtype, extents);
        byte[] bytes = new byte[Math.toIntExact(tensor.byteSize())];
        random.nextBytes(bytes);
        if (dtype == DType.F8E4M3) {
            // The two codes of NaN are left out.
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (bytes[i] & 0x7F) == 0x7F ? (byte) (bytes[i] & 0x8F) : bytes[i];
            }
        }
        tensor.segment().copyFrom(MemorySegment.ofArray(bytes));
        return tensor;
    }
}
