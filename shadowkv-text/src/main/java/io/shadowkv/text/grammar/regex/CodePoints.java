package io.shadowkv.text.grammar.regex;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// A set of Unicode code points without the surrogates, as ascending ranges with gaps between them.
/// Immutable.
record CodePoints(List<Range> ranges) {
    /// Code points `first` to `last`, both included.
    record Range(int first, int last) {}

    static final CodePoints NONE = new CodePoints(List.of());
    static final CodePoints ALL =
            new CodePoints(List.of(new Range(0, 0xd7ff), new Range(0xe000, Character.MAX_CODE_POINT)));

    static CodePoints of(int first, int last) {
        return new CodePoints(List.of(new Range(first, last))).and(ALL);
    }

    static CodePoints of(int codePoint) {
        return of(codePoint, codePoint);
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    boolean contains(int codePoint) {
        return ranges.stream().anyMatch(range -> range.first <= codePoint && codePoint <= range.last);
    }

    CodePoints or(CodePoints other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        all.sort(Comparator.comparingInt(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range range : all) {
            Range before = merged.isEmpty() ? null : merged.getLast();
            if (before != null && range.first <= before.last + 1) {
                merged.set(merged.size() - 1, new Range(before.first, Math.max(before.last, range.last)));
            } else {
                merged.add(range);
            }
        }
        return new CodePoints(List.copyOf(merged));
    }

    CodePoints and(CodePoints other) {
        List<Range> common = new ArrayList<>();
        for (Range mine : ranges) {
            for (Range theirs : other.ranges) {
                int first = Math.max(mine.first, theirs.first);
                int last = Math.min(mine.last, theirs.last);
                if (first <= last) {
                    common.add(new Range(first, last));
                }
            }
        }
        return new CodePoints(List.copyOf(common));
    }

    CodePoints complement() {
        List<Range> rest = new ArrayList<>();
        int next = 0;
        for (Range range : ranges) {
            if (range.first > next) {
                rest.add(new Range(next, range.first - 1));
            }
            next = range.last + 1;
        }
        if (next <= Character.MAX_CODE_POINT) {
            rest.add(new Range(next, Character.MAX_CODE_POINT));
        }
        return new CodePoints(List.copyOf(rest)).and(ALL);
    }
}
