package io.shadowkv.cuda.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Lays a quantised weight out as `tiled_weight.cuh` describes: codes in the order in which the lanes
/// of a warp read them, scales apart. Every code and scale keeps its bits. Used by one thread at a
/// time.
final class TileImages {
    private static final int LANE_BYTES = 16;
    private static final int LANES = 32;
    private static final int GROUPS = TileFormat.COLUMNS / TileFormat.GROUP;

    private final Weight weight;
    private final TileFormat format;
    private final TileCodes codes;
    private final byte[] image;
    private final MemorySegment words;

    TileImages(Weight weight, TileFormat format) {
        this.weight = weight;
        this.format = format;
        this.codes = new TileCodes(weight, format);
        this.image = new byte[format.imageBytes()];
        this.words = MemorySegment.ofArray(image);
    }

    /// Writes the images of a tile of rows.
    ///
    /// @param target as many bytes as they take
    void writeTile(int tile, MemorySegment target) {
        for (int i = 0; i < TileFormat.imagesOfRow(weight.inputs()); i++) {
            Arrays.fill(image, (byte) 0);
            for (int row = 0; row < TileFormat.ROWS; row++) {
                int output = tile * TileFormat.ROWS + row;
                if (output < weight.outputs()) {
                    codes.read(output, i);
                    put(row);
                }
            }
            MemorySegment.copy(image, 0, target, JAVA_BYTE, (long) i * image.length, image.length);
        }
    }

    private void put(int row) {
        System.arraycopy(codes.scales(), 0, image, format.scalesAt() + row * format.scaleBytes(), format.scaleBytes());
        System.arraycopy(codes.more(), 0, image, format.moreAt() + row * format.moreBytes(), format.moreBytes());
        for (int group = 0; group < GROUPS; group++) {
            for (int quarter = 0; quarter < 4; quarter++) {
                switch (format.code()) {
                    case INT8, FP8 -> putBytes(row, group, quarter);
                    default -> putNibbles(row, group, quarter);
                }
            }
        }
    }

    /// Where lane `lane` of a row finds its 16 bytes.
    private static int laneAt(int index, int lane) {
        return (index * LANES + lane) * LANE_BYTES;
    }

    private void putBytes(int row, int group, int quarter) {
        int at = laneAt(row / 16 * GROUPS + group, row % 8 * 4 + quarter) + row / 8 % 2 * 8;
        System.arraycopy(codes.codes(), group * TileFormat.GROUP + quarter * 8, image, at, 8);
    }

    private void putNibbles(int row, int group, int quarter) {
        int warp = row / 16;
        int lane = row % 8 * 4 + quarter;
        int half = row / 8 % 2;
        byte[] all = codes.codes();
        int low = 0;
        int high = 0;
        for (int i = 0; i < 8; i++) {
            int in = format.isSplit() ? i / 4 * 16 + quarter * 4 + i % 4 : quarter * 8 + i;
            int code = all[group * TileFormat.GROUP + in];
            int pairHalf = i % 2 * 16;
            low |= (code & 0xF) << pairHalf + i / 2 * 4;
            high |= switch (format.code()) {
                case Q5_K -> code >> 4 << pairHalf + group % 2 * 8 + half * 4 + i / 2;
                case Q6_K -> code >> 4 << pairHalf + (half * 4 + i / 2) * 2;
                default -> 0;
            };
        }
        int at = laneAt(warp * (GROUPS / 2) + group / 2, lane) + group % 2 * 8 + half * 4;
        words.set(JAVA_INT_UNALIGNED, at, low);
        int codeBytes = format.code().codeBytes();
        switch (format.code()) {
            case Q5_K -> addBits(codeBytes + laneAt(warp, lane) + group / 2 * 4, high);
            case Q6_K -> addBits(codeBytes + laneAt(warp * 2 + group / 4, lane) + group % 4 * 4, high);
            default -> {}
        }
    }

    /// Several rows and groups share a word of further bits.
    private void addBits(int at, int bits) {
        words.set(JAVA_INT_UNALIGNED, at, words.get(JAVA_INT_UNALIGNED, at) | bits);
    }
}
