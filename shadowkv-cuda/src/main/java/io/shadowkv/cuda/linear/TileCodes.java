package io.shadowkv.cuda.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Reads 256 columns of a row of a quantised weight: its codes, one a byte, and what stands next to
/// them in an image. Used by one thread at a time.
final class TileCodes {
    private static final int LOW = 0xF;
    private static final int BIAS_8 = 0x80;

    private final Weight weight;
    private final TileFormat format;
    private final byte[] codes = new byte[TileFormat.COLUMNS];
    private final byte[] scales;
    private final byte[] more;

    TileCodes(Weight weight, TileFormat format) {
        this.weight = weight;
        this.format = format;
        this.scales = new byte[format.scaleBytes()];
        this.more = new byte[format.moreBytes()];
    }

    /// Codes without a sign, as [TileFormat.Code] says; in columns after the last, the code of 0.
    byte[] codes() {
        return codes;
    }

    /// The scales of the row, as an image holds them; 0 for columns after the last.
    byte[] scales() {
        return scales;
    }

    /// Zero points, or the block's scale.
    byte[] more() {
        return more;
    }

    /// Reads columns `256 · image` and following of a row.
    void read(int row, int image) {
        Arrays.fill(codes, zeroCode());
        Arrays.fill(scales, (byte) 0);
        Arrays.fill(more, (byte) 0);
        switch (weight) {
            case BlockWeight blocks -> readBlocks(blocks, row, image);
            case GroupedWeight groups -> readGroups(groups, row, image);
            default -> throw new IllegalArgumentException("weights of " + weight.format() + " have no codes");
        }
    }

    private byte zeroCode() {
        return switch (format.code()) {
            case INT8 -> (byte) BIAS_8;
            case INT4 -> 8;
            case Q6_K -> 32;
            default -> 0;
        };
    }

    private void readBlocks(BlockWeight blocks, int row, int image) {
        MemorySegment bytes = blocks.memory().segment();
        int elements = blocks.blocks().elements();
        int perImage = TileFormat.COLUMNS / elements;
        long rowAt = blocks.byteOffset() + row * blocks.rowBytes();
        int count = Math.min(perImage, blocks.inputs() / elements - image * perImage);
        for (int i = 0; i < count; i++) {
            long at = rowAt + (long) (image * perImage + i) * blocks.blocks().bytes();
            switch (blocks.blocks()) {
                case Q8_0 -> {
                    copy(bytes, at, scales, 2 * i, 2);
                    for (int e = 0; e < 32; e++) {
                        codes[i * 32 + e] = (byte) (bytes.get(JAVA_BYTE, at + 2 + e) ^ BIAS_8);
                    }
                }
                case Q4_0 -> {
                    copy(bytes, at, scales, 2 * i, 2);
                    for (int e = 0; e < 16; e++) {
                        int pair = u8(bytes, at + 2 + e);
                        codes[i * 32 + e] = (byte) (pair & LOW);
                        codes[i * 32 + 16 + e] = (byte) (pair >> 4);
                    }
                }
                case Q4_K, Q5_K, Q6_K -> readSuperblock(blocks, bytes, at);
            }
        }
    }

    private void readSuperblock(BlockWeight blocks, MemorySegment bytes, long at) {
        switch (blocks.blocks()) {
            case Q4_K -> {
                copy(bytes, at, scales, 0, 16);
                for (int e = 0; e < TileFormat.COLUMNS; e++) {
                    codes[e] = (byte) (u8(bytes, at + 16 + e / 64 * 32L + e % 32) >> e / 32 % 2 * 4 & LOW);
                }
            }
            case Q5_K -> {
                copy(bytes, at, scales, 0, 16);
                for (int e = 0; e < TileFormat.COLUMNS; e++) {
                    int low = u8(bytes, at + 48 + e / 64 * 32L + e % 32) >> e / 32 % 2 * 4 & LOW;
                    codes[e] = (byte) (low | (u8(bytes, at + 16 + e % 32) >> e / 32 & 1) << 4);
                }
            }
            case Q6_K -> {
                copy(bytes, at + 192, scales, 0, 16);
                copy(bytes, at + 208, more, 0, 2);
                for (int e = 0; e < TileFormat.COLUMNS; e++) {
                    int half = e / 128;
                    int part = e / 32 % 4;
                    int low = u8(bytes, at + half * 64L + part % 2 * 32L + e % 32) >> part / 2 * 4 & LOW;
                    codes[e] = (byte) (low | (u8(bytes, at + 128 + half * 32L + e % 32) >> 2 * part & 3) << 4);
                }
            }
            default -> throw new IllegalArgumentException(blocks.format() + " has no blocks of 256");
        }
    }

    private void readGroups(GroupedWeight groups, int row, int image) {
        int first = image * TileFormat.COLUMNS;
        int columns = Math.min(TileFormat.COLUMNS, groups.inputs() - first);
        readCodes(groups, groups.firstOutput() + row, first, columns);
        int partColumns = TileFormat.COLUMNS / format.parts();
        MemorySegment target = MemorySegment.ofArray(scales);
        for (int part = 0; part < format.parts() && part * partColumns < columns; part++) {
            int group = (first + part * partColumns) / groups.shape().groupInputs();
            // Rounded to its own type again, so unchanged.
            Floats.set(groups.scales().dtype(), target, part, groups.scale(row, group));
            if (more.length > 0) {
                more[part] = (byte) groups.zero(row, group);
            }
        }
    }

    private void readCodes(GroupedWeight groups, int output, int first, int columns) {
        MemorySegment bytes = groups.codes().segment();
        int inputs = groups.shape().inputs();
        int outputs = groups.shape().outputs();
        long rowAt = rowAt(groups.layout(), inputs, output);
        for (int i = 0; i < columns; i++) {
            int input = first + i;
            codes[i] = (byte)
                    switch (groups.layout()) {
                        case F8E4M3, PACKED_8 -> bytes.get(JAVA_BYTE, rowAt + input);
                        case I8 -> bytes.get(JAVA_BYTE, rowAt + input) ^ BIAS_8;
                        case PACKED_4 -> u8(bytes, rowAt + input / 2) >> input % 2 * 4 & LOW;
                        case GPTQ_4 -> word(bytes, (long) (input / 8) * outputs + output) >>> input % 8 * 4 & LOW;
                        case AWQ_4 -> word(bytes, (long) input * (outputs / 8) + output / 8) >>> awqShift(output) & LOW;
                    };
        }
    }

    /// Where a row starts, in layouts that have rows.
    private static long rowAt(CodeLayout layout, int inputs, int output) {
        return switch (layout) {
            case F8E4M3, I8 -> (long) output * inputs;
            case PACKED_8 -> (long) output * Math.ceilDiv(inputs, 4) * 4;
            case PACKED_4 -> (long) output * Math.ceilDiv(inputs, 8) * 4;
            case GPTQ_4, AWQ_4 -> 0;
        };
    }

    private static int awqShift(int output) {
        int place = output % 8;
        return (place % 2 == 0 ? place / 2 : 4 + place / 2) * 4;
    }

    private static void copy(MemorySegment from, long at, byte[] to, int index, int count) {
        MemorySegment.copy(from, JAVA_BYTE, at, to, index, count);
    }

    private static int u8(MemorySegment bytes, long at) {
        return bytes.get(JAVA_BYTE, at) & 0xFF;
    }

    private static int word(MemorySegment bytes, long index) {
        return bytes.get(JAVA_INT_UNALIGNED, index * ValueLayout.JAVA_INT.byteSize());
    }
}
