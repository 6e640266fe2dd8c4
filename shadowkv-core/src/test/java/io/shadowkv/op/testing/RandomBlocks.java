package io.shadowkv.op.testing;

import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/// Quantised weights of random codes and scales, with magnitudes around 1.
public final class RandomBlocks {
    private RandomBlocks() {}

    /// @param guard bytes before and after the weights, all ones
    public static BlockWeight of(SplittableRandom random, BlockFormat format, int outputs, int inputs, int guard) {
        int bytes = Math.toIntExact(outputs * format.rowBytes(inputs));
        byte[] all = new byte[bytes + 2 * guard];
        random.nextBytes(all);
        java.util.Arrays.fill(all, 0, guard, (byte) -1);
        java.util.Arrays.fill(all, guard + bytes, all.length, (byte) -1);
        ByteBuffer buffer = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = guard; block < guard + bytes; block += format.bytes()) {
            switch (format) {
                case Q4_0 -> buffer.putShort(block, half(random, 0.2));
                case Q8_0 -> buffer.putShort(block, half(random, 0.02));
                case Q4_K, Q5_K -> {
                    buffer.putShort(block, half(random, 0.005));
                    buffer.putShort(block + 2, half(random, 0.02));
                }
                case Q6_K -> buffer.putShort(block + 208, half(random, 0.0005));
            }
        }
        MemorySegment segment = Arena.ofAuto().allocate(all.length, 64);
        segment.copyFrom(MemorySegment.ofArray(all));
        return new BlockWeight(format, outputs, inputs, new HostMemory(segment), guard);
    }

    private static short half(SplittableRandom random, double around) {
        return Float.floatToFloat16((float) (around * random.nextDouble(0.5, 1.5)));
    }

    /// All numbers, row-major.
    public static float[] decoded(Weight weight) {
        float[] all = new float[weight.outputs() * weight.inputs()];
        for (int row = 0; row < weight.outputs(); row++) {
            weight.decode(row, 0, weight.inputs(), all, row * weight.inputs());
        }
        return all;
    }
}
