package io.shadowkv.eval.metric;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/// Similarity of two strings as in Python 3's `difflib.SequenceMatcher(None, a, b).ratio()`: it
/// finds the longest common block of characters, then does the same to the left and to the right of
/// it. The ratio is twice the number of matched characters divided by the number of all characters.
///
/// If the second string has 200 characters or more, characters that make up more than one percent
/// of it do not start a block (difflib's `autojunk`).
final class SequenceRatio {
    private static final int JUNK_FROM = 200;

    private final int[] first;
    private final int[] second;
    private final Map<Integer, int[]> placesInSecond;

    private SequenceRatio(int[] first, int[] second) {
        this.first = first;
        this.second = second;
        placesInSecond = places(second);
    }

    /// A run of characters that both strings have.
    private record Block(int inFirst, int inSecond, int size) {}

    private record Stretch(int firstFrom, int firstTo, int secondFrom, int secondTo) {}

    /// Returns 0 to 1; two empty strings have ratio 1.
    static double ratio(String first, String second) {
        var ratio = new SequenceRatio(
                first.codePoints().toArray(), second.codePoints().toArray());
        int all = ratio.first.length + ratio.second.length;
        return all == 0 ? 1 : 2.0 * ratio.matches() / all;
    }

    private int matches() {
        int matches = 0;
        Deque<Stretch> open = new ArrayDeque<>();
        open.push(new Stretch(0, first.length, 0, second.length));
        while (!open.isEmpty()) {
            Stretch stretch = open.pop();
            Block block = longest(stretch);
            if (block.size > 0) {
                matches += block.size;
                open.push(new Stretch(stretch.firstFrom, block.inFirst, stretch.secondFrom, block.inSecond));
                open.push(new Stretch(
                        block.inFirst + block.size, stretch.firstTo, block.inSecond + block.size, stretch.secondTo));
            }
        }
        return matches;
    }

    /// The longest block; of several, the one that begins first in `first`, then in `second`.
    private Block longest(Stretch stretch) {
        Block best = new Block(stretch.firstFrom, stretch.secondFrom, 0);
        // At j: length of the block that ends with first[i - 1] and second[j - 1].
        int[] ending = new int[second.length + 1];
        for (int i = stretch.firstFrom; i < stretch.firstTo; i++) {
            int[] next = new int[second.length + 1];
            for (int j : placesInSecond.getOrDefault(first[i], new int[0])) {
                if (j < stretch.secondFrom || j >= stretch.secondTo) {
                    continue;
                }
                int size = ending[j] + 1;
                next[j + 1] = size;
                if (size > best.size) {
                    best = new Block(i - size + 1, j - size + 1, size);
                }
            }
            ending = next;
        }
        return extended(best, stretch);
    }

    /// Extends a block at both ends, also by characters that cannot start a block.
    private Block extended(Block block, Stretch stretch) {
        int firstFrom = block.inFirst;
        int secondFrom = block.inSecond;
        int firstTo = firstFrom + block.size;
        int secondTo = secondFrom + block.size;
        while (firstFrom > stretch.firstFrom
                && secondFrom > stretch.secondFrom
                && first[firstFrom - 1] == second[secondFrom - 1]) {
            firstFrom--;
            secondFrom--;
        }
        while (firstTo < stretch.firstTo && secondTo < stretch.secondTo && first[firstTo] == second[secondTo]) {
            firstTo++;
            secondTo++;
        }
        return new Block(firstFrom, secondFrom, firstTo - firstFrom);
    }

    private static Map<Integer, int[]> places(int[] text) {
        Map<Integer, int[]> places = new HashMap<>();
        Set<Integer> characters = new HashSet<>();
        Arrays.stream(text).forEach(characters::add);
        int most = text.length >= JUNK_FROM ? text.length / 100 + 1 : Integer.MAX_VALUE;
        for (int character : characters) {
            int[] all = IntStream.range(0, text.length)
                    .filter(i -> text[i] == character)
                    .toArray();
            if (all.length <= most) {
                places.put(character, all);
            }
        }
        return places;
    }
}
