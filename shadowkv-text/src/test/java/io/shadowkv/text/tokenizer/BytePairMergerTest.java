package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Compares the queue of merges with a simple loop.
class BytePairMergerTest {
    private static final long SEED = 7;

    @Test
    void mergesAsTheObviousLoop() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 500; round++) {
            Map<String, Integer> ranks = ranks(random);
            String piece = text(random, random.nextInt(1, 40));
            assertThat(merged(ranks, piece))
                    .as("seed %d, round %d: %s by %s", SEED, round, piece, ranks)
                    .isEqualTo(obvious(ranks, piece));
        }
    }

    /// Both pairs "ab" are merged before "aba", so the first of the three is never produced.
    @Test
    void takesTheLowestRankFirst() {
        Map<String, Integer> ranks = Map.of("a", 0, "b", 1, "ab", 2, "aba", 3);
        assertThat(merged(ranks, "ababa")).containsExactly(2, 3);
    }

    @Test
    void isNotQuadraticInALongPiece() {
        Map<String, Integer> ranks = Map.of("a", 0, "b", 1, "ab", 2, "abab", 3);
        long start = System.nanoTime();
        assertThat(merged(ranks, "ab".repeat(200_000))).hasSize(100_000);
        assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(10_000);
    }

    private static List<Integer> merged(Map<String, Integer> ranks, String piece) {
        IntStream.Builder ids = IntStream.builder();
        BytePairMerger.merge(ranks, piece, ids);
        return ids.build().boxed().toList();
    }

    private static List<Integer> obvious(Map<String, Integer> ranks, String piece) {
        List<String> parts = new ArrayList<>(List.of(piece.split("")));
        while (!ranks.containsKey(piece)) {
            int best = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                Integer rank = ranks.get(parts.get(i) + parts.get(i + 1));
                if (rank != null && (best < 0 || rank < ranks.get(parts.get(best) + parts.get(best + 1)))) {
                    best = i;
                }
            }
            if (best < 0) {
                return parts.stream().map(ranks::get).toList();
            }
            parts.set(best, parts.get(best) + parts.remove(best + 1));
        }
        return List.of(ranks.get(piece));
    }

    private static Map<String, Integer> ranks(SplittableRandom random) {
        Map<String, Integer> ranks = new HashMap<>(Map.of("a", 0, "b", 1, "c", 2));
        for (int i = 0; i < 12; i++) {
            ranks.putIfAbsent(text(random, random.nextInt(2, 5)), 3 + i);
        }
        return ranks;
    }

    private static String text(SplittableRandom random, int length) {
        StringBuilder text = new StringBuilder();
        random.ints(length, 'a', 'd').forEach(letter -> text.append((char) letter));
        return text.toString();
    }
}
