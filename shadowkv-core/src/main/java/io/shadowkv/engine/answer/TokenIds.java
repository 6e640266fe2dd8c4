package io.shadowkv.engine.answer;

import java.util.Arrays;

/// A growing list of token ids.
public final class TokenIds {
    private int[] ids;
    private int count;

    /// Begins with `first`, followed by `second`.
    public TokenIds(int[] first, int[] second) {
        ids = Arrays.copyOf(first, first.length + second.length + 64);
        System.arraycopy(second, 0, ids, first.length, second.length);
        count = first.length + second.length;
    }

    public int size() {
        return count;
    }

    public void add(int id) {
        ids = count == ids.length ? Arrays.copyOf(ids, ids.length * 2) : ids;
        ids[count++] = id;
    }

    public int[] all() {
        return range(0, count);
    }

    /// Ids `from` to `to` (exclusive).
    public int[] range(int from, int to) {
        return Arrays.copyOfRange(ids, from, to);
    }
}
