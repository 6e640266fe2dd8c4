package io.shadowkv.text.grammar.regex;

import java.util.ArrayList;
import java.util.List;

/// Cuts a range of code points into sequences of byte ranges: together they are its UTF-8.
final class Utf8Ranges {
    /// The last code points that one, two, three and four bytes can hold.
    private static final int[] LAST = {0x7f, 0x7ff, 0xffff, 0x10ffff};

    private Utf8Ranges() {}

    /// Sequences of `{lowest, highest}` pairs, a pair a byte.
    static List<int[][]> of(int first, int last) {
        List<int[][]> sequences = new ArrayList<>();
        int from = first;
        for (int length = 1; length <= 4 && from <= last; length++) {
            int to = Math.min(last, LAST[length - 1]);
            if (from <= to) {
                add(from, to, length, sequences);
                from = to + 1;
            }
        }
        return sequences;
    }

    /// Cuts until all bytes behind the first that differs run from 80 to BF.
    private static void add(int first, int last, int length, List<int[][]> sequences) {
        for (int tail = 1; tail < length; tail++) {
            int mask = (1 << 6 * tail) - 1;
            if ((first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    add(first, first | mask, length, sequences);
                    add((first | mask) + 1, last, length, sequences);
                    return;
                }
                if ((last & mask) != mask) {
                    add(first, (last & ~mask) - 1, length, sequences);
                    add(last & ~mask, last, length, sequences);
                    return;
                }
            }
        }
        int[][] bytes = new int[length][];
        for (int i = 0; i < length; i++) {
            bytes[i] = new int[] {utf8(first, length, i), utf8(last, length, i)};
        }
        sequences.add(bytes);
    }

    /// Byte `index` of the `length` bytes of a code point.
    private static int utf8(int codePoint, int length, int index) {
        int bits = codePoint >> 6 * (length - 1 - index);
        if (index > 0) {
            return 0x80 | bits & 0x3f;
        }
        return length == 1 ? bits : 0xff00 >> length & 0xff | bits;
    }
}
