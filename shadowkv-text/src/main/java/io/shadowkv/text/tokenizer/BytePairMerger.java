package io.shadowkv.text.tokenizer;

import java.util.Map;
import java.util.PriorityQueue;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Merges the bytes of one piece into ranked tokens: repeatedly merges the neighbours whose union
/// has the lowest rank, the leftmost if there are several (tiktoken's `byte_pair_merge`). Takes O(n
/// log n) in the bytes of the piece, because a Chinese paragraph is one piece.
final class BytePairMerger {
    private static final int NONE = Integer.MAX_VALUE;

    private final Map<String, Integer> ranks;
    private final String piece;
    /// For the part that begins at each byte: the beginnings of the next and the previous part, and
    /// the rank of its union with the next part ([#NONE] if there is none or the part was merged).
    private final int[] next;

    private final int[] previous;
    private final int[] unionRank;
    private final PriorityQueue<Long> queue = new PriorityQueue<>();

    private BytePairMerger(Map<String, Integer> ranks, String piece) {
        this.ranks = ranks;
        this.piece = piece;
        this.next = IntStream.rangeClosed(1, piece.length()).toArray();
        this.previous = IntStream.range(-1, piece.length() - 1).toArray();
        this.unionRank = new int[piece.length()];
    }

    /// Appends the ranks of the piece's tokens.
    ///
    /// @param ranks rank by token, with one char per byte; contains all single bytes
    static void merge(Map<String, Integer> ranks, String piece, IntStream.Builder ids) {
        @Nullable Integer whole = ranks.get(piece);
        if (whole != null) {
            ids.add(whole);
        } else {
            new BytePairMerger(ranks, piece).merge(ids);
        }
    }

    private void merge(IntStream.Builder ids) {
        for (int start = 0; start < piece.length(); start++) {
            rank(start);
        }
        for (Long entry = queue.poll(); entry != null; entry = queue.poll()) {
            int start = (int) (long) entry;
            if (unionRank[start] == (int) (entry >>> 32)) {
                unite(start);
            }
        }
        for (int start = 0; start < piece.length(); start = next[start]) {
            Integer rank = ranks.get(piece.substring(start, next[start]));
            if (rank == null) {
                throw new IllegalStateException(
                        "a merged piece has no rank; the rank file does not have all single bytes");
            }
            ids.add(rank);
        }
    }

    private void unite(int start) {
        int second = next[start];
        unionRank[second] = NONE;
        next[start] = next[second];
        if (next[start] < piece.length()) {
            previous[next[start]] = start;
        }
        rank(start);
        if (previous[start] >= 0) {
            rank(previous[start]);
        }
    }

    private void rank(int start) {
        unionRank[start] = NONE;
        if (next[start] < piece.length()) {
            Integer rank = ranks.get(piece.substring(start, next[next[start]]));
            if (rank != null) {
                unionRank[start] = rank;
                queue.add((long) rank << 32 | start);
            }
        }
    }
}
