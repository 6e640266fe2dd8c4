package io.shadowkv.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/// Formats in which a row of weights is a sequence of blocks, each with its codes and scales. They
/// are those of GGUF files; names and layouts are ggml's (`ggml-common.h`, `ggml-quants.c`).
///
/// In each, elements of one group share a scale s and an offset m, and an element is `s · code - m`.
/// Products are rounded in the order of ggml's own C code, so that decoded weights are equal to the
/// bit.
public enum BlockFormat {
    /// F16 scale; 32 codes of 4 bits, of which 8 is subtracted. Element i and element i + 16 share
    /// a byte, the first in its lower half.
    Q4_0(32, 18, 32) {
        @Override
        void decode(MemorySegment block, long at, float[] target) {
            float scale = f16(block, at);
            for (int i = 0; i < 16; i++) {
                int pair = u8(block, at + 2 + i);
                target[i] = ((pair & LOW) - 8) * scale;
                target[i + 16] = ((pair >> 4) - 8) * scale;
            }
        }
    },
    /// F16 scale; 32 codes of 8 bits with a sign.
    Q8_0(32, 34, 32) {
        @Override
        void decode(MemorySegment block, long at, float[] target) {
            float scale = f16(block, at);
            for (int i = 0; i < 32; i++) {
                target[i] = block.get(JAVA_BYTE, at + 2 + i) * scale;
            }
        }
    },
    /// F16 scale and offset of the block; 8 groups of 32 with a scale and an offset of 6 bits each,
    /// packed into 12 bytes; 256 codes of 4 bits. The lower halves of 32 bytes are one group, the
    /// upper halves the next.
    Q4_K(256, 144, 32) {
        @Override
        void decode(MemorySegment block, long at, float[] target) {
            int last = block.get(JAVA_INT_UNALIGNED, at + 12);
            long scales = groupScales(block.get(JAVA_INT_UNALIGNED, at + 4), last);
            long offsets = groupOffsets(block.get(JAVA_INT_UNALIGNED, at + 8), last);
            for (int group = 0; group < 8; group++) {
                float scale = f16(block, at) * ofGroup(scales, group);
                float offset = f16(block, at + 2) * ofGroup(offsets, group);
                long codes = at + 16 + group / 2 * 32L;
                int shift = group % 2 * 4;
                for (int i = 0; i < 32; i++) {
                    target[group * 32 + i] = scale * (u8(block, codes + i) >> shift & LOW) - offset;
                }
            }
        }
    },
    /// As [#Q4_K], and 32 bytes with the fifth bit of each code: bit g of byte i belongs to element
    /// i of group g. These bytes stand before the lower four bits.
    Q5_K(256, 176, 32) {
        @Override
        void decode(MemorySegment block, long at, float[] target) {
            int last = block.get(JAVA_INT_UNALIGNED, at + 12);
            long scales = groupScales(block.get(JAVA_INT_UNALIGNED, at + 4), last);
            long offsets = groupOffsets(block.get(JAVA_INT_UNALIGNED, at + 8), last);
            for (int group = 0; group < 8; group++) {
                float scale = f16(block, at) * ofGroup(scales, group);
                float offset = f16(block, at + 2) * ofGroup(offsets, group);
                long codes = at + 48 + group / 2 * 32L;
                int shift = group % 2 * 4;
                for (int i = 0; i < 32; i++) {
                    int high = (u8(block, at + 16 + i) >> group & 1) << 4;
                    target[group * 32 + i] = scale * ((u8(block, codes + i) >> shift & LOW) + high) - offset;
                }
            }
        }
    },
    /// 128 bytes of lower halves, 64 bytes of upper 2 bits, 16 scales of 8 bits with a sign for
    /// groups of 16, and the block's F16 scale at the end. 32 is subtracted from each code.
    ///
    /// Half a block has four runs of 32 elements. Run r has its lower bits in bytes 32 · (r mod 2)
    /// and following (the upper half of a byte if r is 2 or 3), and its upper bits at position 2 · r.
    Q6_K(256, 210, 16) {
        @Override
        void decode(MemorySegment block, long at, float[] target) {
            float scale = f16(block, at + 208);
            for (int run = 0; run < 8; run++) {
                int half = run / 4;
                int part = run % 4;
                for (int i = 0; i < 32; i++) {
                    int low = u8(block, at + half * 64L + part % 2 * 32L + i) >> part / 2 * 4 & LOW;
                    int high = u8(block, at + 128 + half * 32L + i) >> 2 * part & 3;
                    float own = scale * block.get(JAVA_BYTE, at + 192 + run * 2L + i / 16);
                    target[run * 32 + i] = own * ((low | high << 4) - 32);
                }
            }
        }
    };

    private static final int LOW = 0xF;
    /// The lowest six bits of each byte, and so on.
    private static final int SIX_BITS = 0x3F3F_3F3F;
    private static final int FOUR_BITS = 0x0F0F_0F0F;
    private static final int TWO_BITS = 0x0303_0303;

    private final int elements;
    private final int bytes;
    private final int group;

    BlockFormat(int elements, int bytes, int group) {
        this.elements = elements;
        this.bytes = bytes;
        this.group = group;
    }

    /// Elements of a block; a row has a multiple of them.
    public int elements() {
        return elements;
    }

    /// Bytes of a block.
    public int bytes() {
        return bytes;
    }

    /// Neighbouring elements that share a scale.
    public int group() {
        return group;
    }

    /// Bytes of a row of `inputs` elements.
    public long rowBytes(int inputs) {
        return (long) inputs / elements * bytes;
    }

    /// The format of this name.
    public static Optional<BlockFormat> named(String name) {
        return Arrays.stream(values())
                .filter(format -> format.name().equals(name))
                .findFirst();
    }

    /// Decodes the block at byte `at` to the first [#elements] of `target`.
    abstract void decode(MemorySegment block, long at, float[] target);

    /// The 6-bit scales of the 8 groups of a K block, each in a byte, the first in the lowest. Those
    /// of groups 4 to 7 have their upper 2 bits in the first 4 bytes.
    ///
    /// @param first the first 4 of the 12 bytes of scales and offsets
    /// @param last the last 4 of these bytes
    public static long groupScales(int first, int last) {
        return joined(first, last & FOUR_BITS | (first >>> 6 & TWO_BITS) << 4);
    }

    /// The 6-bit offsets of the 8 groups of a K block, packed as [#groupScales].
    ///
    /// @param middle the middle 4 of the 12 bytes of scales and offsets
    /// @param last the last 4 of these bytes
    public static long groupOffsets(int middle, int last) {
        return joined(middle, last >>> 4 & FOUR_BITS | (middle >>> 6 & TWO_BITS) << 4);
    }

    private static long joined(int firstFour, int lastFour) {
        return firstFour & SIX_BITS | (long) lastFour << Integer.SIZE;
    }

    /// The number of group `group` in what [#groupScales] or [#groupOffsets] returns.
    public static int ofGroup(long numbers, int group) {
        return (int) (numbers >>> Byte.SIZE * group) & 0xFF;
    }

    /// The F16 number at byte `at`, as a float.
    public static float f16(MemorySegment block, long at) {
        return Float.float16ToFloat(block.get(JAVA_SHORT_UNALIGNED, at));
    }

    private static int u8(MemorySegment block, long at) {
        return block.get(JAVA_BYTE, at) & 0xFF;
    }
}
