package io.shadowkv.eval.needle;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/// Random sampling that gives the same results on every machine for the same seed.
public final class RandomDraws {
    private RandomDraws() {}

    /// The generator of one sample, independent of those of neighbouring seeds and indices.
    public static SplittableRandom random(long seed, String task, int index) {
        return new SplittableRandom(mix(mix(mix(seed) + task.hashCode()) + index));
    }

    /// Stafford's variant 13 of MurmurHash3's finaliser. A plain sum or product is not enough:
    /// SplittableRandom advances by a constant, so seeds that differ by a multiple of it give the
    /// same stream, shifted.
    private static long mix(long value) {
        long mixed = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }

    /// Draws `count` distinct strings, in the order drawn.
    public static List<String> distinct(int count, Supplier<String> draw) {
        List<String> drawn = new ArrayList<>();
        while (drawn.size() < count) {
            String candidate = draw.get();
            if (!drawn.contains(candidate)) {
                drawn.add(candidate);
            }
        }
        return drawn;
    }

    /// Draws `count` distinct numbers below `bound`, ascending; `count` is at most `bound`.
    public static int[] distinctNumbers(int bound, int count, SplittableRandom random) {
        Set<Integer> drawn = new HashSet<>();
        int[] numbers = new int[count];
        while (drawn.size() < count) {
            int number = random.nextInt(bound);
            if (drawn.add(number)) {
                numbers[drawn.size() - 1] = number;
            }
        }
        Arrays.sort(numbers);
        return numbers;
    }

    /// A Fisher-Yates shuffle.
    public static void shuffle(List<?> list, SplittableRandom random) {
        for (int last = list.size() - 1; last > 0; last--) {
            Collections.swap(list, last, random.nextInt(last + 1));
        }
    }

    /// Draws `count` elements at distinct positions of the list, in the order drawn; `count` is at
    /// most the list's size.
    public static <T> List<T> sample(List<T> list, int count, SplittableRandom random) {
        List<T> rest = new ArrayList<>(list);
        for (int i = 0; i < count; i++) {
            Collections.swap(rest, i, random.nextInt(i, rest.size()));
        }
        return List.copyOf(rest.subList(0, count));
    }
}
