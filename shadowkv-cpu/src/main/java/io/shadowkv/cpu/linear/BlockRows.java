package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.Codes;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Decodes quantised blocks to floats with vectors: the same numbers, to the bit, as
/// [BlockWeight#decode]. The layouts are described in [BlockFormat].
final class BlockRows implements WeightRows {
    private static final int LANES = VectorWidth.LANES;
    private static final int LOW = 0xF;

    private final BlockWeight weight;
    private final BlockFormat format;
    private final MemorySegment segment;
    private final long rowBytes;

    BlockRows(BlockWeight weight) {
        this.weight = weight;
        format = weight.blocks();
        segment = weight.segment();
        rowBytes = weight.rowBytes();
    }

    /// Whole blocks are decoded with vectors, parts of a block one element at a time. Products ask
    /// for whole blocks only.
    @Override
    public void load(int row, int column, float[] target, int at, int count) {
        int elements = format.elements();
        if (column % elements != 0 || count % elements != 0) {
            weight.decode(row, column, count, target, at);
            return;
        }
        long block = row * rowBytes + (long) (column / elements) * format.bytes();
        for (int i = 0; i < count; i += elements) {
            decode(block, target, at + i);
            block += format.bytes();
        }
    }

    private void decode(long block, float[] target, int at) {
        switch (format) {
            case Q4_0 -> decodeQ40(block, target, at);
            case Q8_0 -> decodeQ80(block, target, at);
            case Q4_K -> decodeQ4K(block, target, at);
            case Q5_K -> decodeQ5K(block, target, at);
            case Q6_K -> decodeQ6K(block, target, at);
        }
    }

    private void decodeQ40(long block, float[] target, int at) {
        float scale = BlockFormat.f16(segment, block);
        for (int e = 0; e < 16; e += LANES) {
            IntVector pairs = Codes.unsigned(segment, block + 2 + e);
            Codes.floats(pairs.and(LOW).sub(8)).mul(scale).intoArray(target, at + e);
            Codes.floats(pairs.lanewise(VectorOperators.LSHR, 4).sub(8))
                    .mul(scale)
                    .intoArray(target, at + 16 + e);
        }
    }

    private void decodeQ80(long block, float[] target, int at) {
        float scale = BlockFormat.f16(segment, block);
        for (int e = 0; e < 32; e += LANES) {
            Codes.floats(Codes.signed(segment, block + 2 + e)).mul(scale).intoArray(target, at + e);
        }
    }

    private void decodeQ4K(long block, float[] target, int at) {
        float scale = BlockFormat.f16(segment, block);
        float offset = BlockFormat.f16(segment, block + 2);
        int last = segment.get(JAVA_INT_UNALIGNED, block + 12);
        long scales = BlockFormat.groupScales(segment.get(JAVA_INT_UNALIGNED, block + 4), last);
        long offsets = BlockFormat.groupOffsets(segment.get(JAVA_INT_UNALIGNED, block + 8), last);
        for (int group = 0; group < 8; group += 2) {
            float first = scale * BlockFormat.ofGroup(scales, group);
            float firstOffset = offset * BlockFormat.ofGroup(offsets, group);
            float second = scale * BlockFormat.ofGroup(scales, group + 1);
            float secondOffset = offset * BlockFormat.ofGroup(offsets, group + 1);
            int to = at + group * 32;
            for (int e = 0; e < 32; e += LANES) {
                IntVector pairs = Codes.unsigned(segment, block + 16 + group * 16L + e);
                Codes.floats(pairs.and(LOW)).mul(first).sub(firstOffset).intoArray(target, to + e);
                Codes.floats(pairs.lanewise(VectorOperators.LSHR, 4))
                        .mul(second)
                        .sub(secondOffset)
                        .intoArray(target, to + 32 + e);
            }
        }
    }

    private void decodeQ5K(long block, float[] target, int at) {
        float scale = BlockFormat.f16(segment, block);
        float offset = BlockFormat.f16(segment, block + 2);
        int last = segment.get(JAVA_INT_UNALIGNED, block + 12);
        long scales = BlockFormat.groupScales(segment.get(JAVA_INT_UNALIGNED, block + 4), last);
        long offsets = BlockFormat.groupOffsets(segment.get(JAVA_INT_UNALIGNED, block + 8), last);
        for (int group = 0; group < 8; group++) {
            float own = scale * BlockFormat.ofGroup(scales, group);
            float ownOffset = offset * BlockFormat.ofGroup(offsets, group);
            long codes = block + 48 + group / 2 * 32L;
            for (int e = 0; e < 32; e += LANES) {
                IntVector low = Codes.unsigned(segment, codes + e)
                        .lanewise(VectorOperators.LSHR, group % 2 * 4)
                        .and(LOW);
                IntVector high = Codes.unsigned(segment, block + 16 + e)
                        .lanewise(VectorOperators.LSHR, group)
                        .and(1)
                        .lanewise(VectorOperators.LSHL, 4);
                Codes.floats(low.or(high)).mul(own).sub(ownOffset).intoArray(target, at + group * 32 + e);
            }
        }
    }

    private void decodeQ6K(long block, float[] target, int at) {
        float scale = BlockFormat.f16(segment, block + 208);
        for (int run = 0; run < 8; run++) {
            int part = run % 4;
            long low = block + run / 4 * 64L + part % 2 * 32L;
            long high = block + 128 + run / 4 * 32L;
            for (int e = 0; e < 32; e += LANES) {
                float own = scale * segment.get(JAVA_BYTE, block + 192 + run * 2L + e / 16);
                IntVector lower = Codes.unsigned(segment, low + e)
                        .lanewise(VectorOperators.LSHR, part / 2 * 4)
                        .and(LOW);
                IntVector upper = Codes.unsigned(segment, high + e)
                        .lanewise(VectorOperators.LSHR, 2 * part)
                        .and(3)
                        .lanewise(VectorOperators.LSHL, 4);
                Codes.floats(lower.or(upper).sub(32)).mul(own).intoArray(target, at + run * 32 + e);
            }
        }
    }
}
