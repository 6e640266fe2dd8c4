package io.shadowkv.text.grammar;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/// Tokens by their bytes, as a tree: tokens that begin alike are walked once. Immutable.
///
/// Nodes are numbered in depth-first order, so that a whole subtree is skipped by one jump.
final class TokenTrie {
    /// A token's id and bytes.
    record Token(int id, byte[] bytes) {}

    private final byte[] labels;
    private final int[] depths;
    /// The first node behind the subtree, by node.
    private final int[] ends;
    /// Where the tokens of a node begin in `ids`, by node; they end where those of the next node
    /// begin.
    private final int[] firstIds;
    private final int[] ids;
    private final int depth;

    private TokenTrie(int nodes, int tokens, int depth) {
        this.labels = new byte[nodes];
        this.depths = new int[nodes];
        this.ends = new int[nodes];
        this.firstIds = new int[nodes + 1];
        this.ids = new int[tokens];
        this.depth = depth;
    }

    static TokenTrie of(List<Token> tokens) {
        List<Token> sorted = tokens.stream()
                .sorted((a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes))
                .toList();
        int nodes = 0;
        int depth = 0;
        byte[] before = {};
        for (Token token : sorted) {
            nodes += token.bytes.length - common(before, token.bytes);
            depth = Math.max(depth, token.bytes.length);
            before = token.bytes;
        }
        TokenTrie trie = new TokenTrie(nodes, tokens.size(), depth);
        trie.fill(sorted);
        return trie;
    }

    private void fill(List<Token> sorted) {
        int[] path = new int[depth];
        int node = 0;
        byte[] before = {};
        for (int i = 0; i < sorted.size(); i++) {
            byte[] bytes = sorted.get(i).bytes;
            int common = common(before, bytes);
            for (int at = common; at < before.length; at++) {
                ends[path[at]] = node;
            }
            for (int at = common; at < bytes.length; at++) {
                path[at] = node;
                labels[node] = bytes[at];
                depths[node] = at;
                firstIds[node] = i;
                node++;
            }
            ids[i] = sorted.get(i).id;
            firstIds[node] = i + 1;
            before = bytes;
        }
        for (int at = 0; at < before.length; at++) {
            ends[path[at]] = node;
        }
    }

    private static int common(byte[] a, byte[] b) {
        int mismatch = Arrays.mismatch(a, b);
        return mismatch < 0 ? a.length : mismatch;
    }

    int nodes() {
        return labels.length;
    }

    /// Walks all nodes.
    ///
    /// @param allowed is given the ids of the tokens that match
    /// @param left is given the nodes at which the first rule has matched and tokens go on
    void walk(Positions start, IntConsumer allowed, IntConsumer left) {
        walk(0, nodes(), start, allowed, left);
    }

    /// Walks the nodes below `node`.
    void walkBelow(int node, Positions start, IntConsumer allowed) {
        walk(node + 1, ends[node], start, allowed, ignored -> {});
    }

    private void walk(int from, int to, Positions start, IntConsumer allowed, IntConsumer left) {
        if (from == to) {
            return;
        }
        int top = depths[from];
        Positions[] path = new Positions[depth - top + 1];
        path[0] = start;
        int node = from;
        while (node < to) {
            int at = depths[node] - top;
            Positions positions = path[at].next(labels[node] & 0xff);
            if (positions.isNone()) {
                node = ends[node];
                continue;
            }
            for (int i = firstIds[node]; i < firstIds[node + 1]; i++) {
                allowed.accept(ids[i]);
            }
            if (positions.isDone() && ends[node] > node + 1) {
                left.accept(node);
            }
            path[at + 1] = positions;
            node++;
        }
    }

    /// The ids of all tokens.
    IntStream ids() {
        return IntStream.of(ids);
    }
}
