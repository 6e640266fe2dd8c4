package io.shadowkv.model;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.BlockEncoder;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import io.shadowkv.tensor.WeightPrecision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/// Quantises matrices to a precision, in host memory. Stateless.
///
/// @param precision of the results
record WeightEncoder(WeightPrecision precision) {
    /// The largest number of OCP E4M3.
    private static final float LARGEST_E4M3 = 448;

    /// Host memory for a result.
    interface Allocator {
        /// A tensor in host memory.
        Tensor allocate(DType dtype, int... extents);
    }

    /// True if a row of this width can be quantised: 8 and 4 bits need a multiple of 32 elements.
    boolean encodes(int inputs) {
        return switch (precision) {
            case STORED -> false;
            case FP8 -> inputs > 0;
            case INT8, INT4 -> inputs > 0 && inputs % BlockFormat.Q8_0.elements() == 0;
        };
    }

    /// The format of blocks for rows of a width that [#encodes] accepts. Of 4 bits, rows of a multiple
    /// of 256 elements have the better format, and the output projection has 8 bits.
    BlockFormat blocks(int inputs, boolean isHead) {
        if (precision == WeightPrecision.INT8 || isHead) {
            return BlockFormat.Q8_0;
        }
        return inputs % BlockFormat.Q4_K.elements() == 0 ? BlockFormat.Q4_K : BlockFormat.Q4_0;
    }

    /// @param name of the tensor, for messages
    /// @param isHead true for the output projection
    /// @throws CheckpointException if a weight cannot be quantised
    Weight encode(String name, Weight weight, boolean isHead, Allocator allocator) {
        return precision == WeightPrecision.FP8
                ? toE4m3(name, weight, allocator)
                : toBlocks(name, weight, blocks(weight.inputs(), isHead), allocator);
    }

    private Weight toBlocks(String name, Weight weight, BlockFormat format, Allocator allocator) {
        int rowBytes = Math.toIntExact(format.rowBytes(weight.inputs()));
        MemorySegment bytes =
                allocator.allocate(DType.I8, weight.outputs(), rowBytes).segment();
        eachRow(name, weight, (row, numbers) -> BlockEncoder.encode(format, numbers, bytes, (long) row * rowBytes));
        return new BlockWeight(format, weight.outputs(), weight.inputs(), new HostMemory(bytes), 0);
    }

    /// Each row has a scale with which its largest number is the largest of the format.
    private Weight toE4m3(String name, Weight weight, Allocator allocator) {
        int inputs = weight.inputs();
        Tensor codes = allocator.allocate(DType.F8E4M3, weight.outputs(), inputs);
        Tensor scales = allocator.allocate(DType.F32, weight.outputs(), 1);
        MemorySegment bytes = codes.segment();
        MemorySegment floats = scales.segment();
        eachRow(name, weight, (row, numbers) -> {
            float largest = 0;
            for (float number : numbers) {
                if (!Float.isFinite(number)) {
                    throw new IllegalArgumentException("a weight is " + number + ", which cannot be quantised");
                }
                largest = Math.max(largest, Math.abs(number));
            }
            float scale = largest / LARGEST_E4M3;
            floats.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, row, scale);
            for (int i = 0; i < inputs; i++) {
                float scaled = scale == 0 ? 0 : Math.clamp(numbers[i] / scale, -LARGEST_E4M3, LARGEST_E4M3);
                bytes.set(ValueLayout.JAVA_BYTE, (long) row * inputs + i, Floats.toE4m3(scaled));
            }
        });
        return GroupedWeight.of(
                CodeLayout.F8E4M3, codes, scales, null, new Groups(weight.outputs(), inputs, 1, inputs));
    }

    /// Copies a quantised matrix to a backend that does not compute on the host.
    ///
    /// @throws IllegalArgumentException if the backend has no kernel for it
    Weight place(Weight encoded, Backend backend, MemoryScope scope) {
        Weight placed = backend.placeQuantised(encoded, scope);
        if (placed == null) {
            throw new IllegalArgumentException("the " + backend.name() + " backend cannot compute with weights of "
                    + precision + ": it has no kernel for " + encoded.format() + " [" + encoded.outputs() + ", "
                    + encoded.inputs() + "]. Run with the stored weights");
        }
        return placed;
    }

    private interface RowEncoder {
        void encode(int row, float[] numbers);
    }

    private static void eachRow(String name, Weight weight, RowEncoder encoder) {
        IntStream.range(0, weight.outputs()).parallel().forEach(row -> {
            float[] numbers = new float[weight.inputs()];
            weight.decodeRow(row, numbers);
            try {
                encoder.encode(row, numbers);
            } catch (IllegalArgumentException e) {
                throw new CheckpointException(
                        "tensor \"" + name + "\", row " + row + ": " + e.getMessage() + ". Run with the stored weights",
                        e);
            }
        });
    }

    /// Allocates in an arena.
    static Allocator of(Arena arena) {
        return (dtype, extents) -> {
            Shape shape = Shape.of(extents);
            return Tensor.of(dtype, shape, arena.allocate(Math.max(1, shape.elements() * dtype.bytes()), 64));
        };
    }
}
