package io.shadowkv.text.jinja.runtime;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Items and slices of lists and strings. The characters of a string are its code points.
public final class Sequences {
    private Sequences() {}

    /// The item at an index; a negative index counts from the end.
    ///
    /// @param sequence a list or a string
    static @Nullable Object item(Object sequence, long index) {
        if (sequence instanceof String text) {
            int at = offset(text, index);
            if (at >= 0) {
                return text.substring(at, text.offsetByCodePoints(at, 1));
            }
        } else if (sequence instanceof List<?> list) {
            long place = index < 0 ? index + list.size() : index;
            if (place >= 0 && place < list.size()) {
                return list.get((int) place);
            }
        }
        return new Undefined("item " + index + " of " + Values.described(sequence));
    }

    /// Offset of a character, or -1; only examines the characters between it and the nearer end of
    /// the text.
    private static int offset(String text, long index) {
        if (index >= text.length() || index < -text.length()) {
            return -1;
        }
        try {
            int at = text.offsetByCodePoints(index < 0 ? text.length() : 0, (int) index);
            return at == text.length() ? -1 : at;
        } catch (IndexOutOfBoundsException e) {
            return -1;
        }
    }

    /// `text[start:stop]`.
    private static String cut(String text, @Nullable Object start, @Nullable Object stop) {
        int from = border(text, bound(start, 0));
        int to = stop == null ? text.length() : border(text, bound(stop, 0));
        return from < to ? text.substring(from, to) : "";
    }

    /// Offset of a slice bound: that of the character, or an end of the text if the index is beyond
    /// it.
    private static int border(String text, long index) {
        int at = offset(text, index);
        return at >= 0 ? at : index < 0 ? 0 : text.length();
    }

    /// The first or last item, or an undefined value.
    public static @Nullable Object end(@Nullable Object value, boolean isFirst) {
        Object sequence = value instanceof String || value instanceof List<?> ? value : Values.items(value);
        return item(sequence, isFirst ? 0 : -1) instanceof Undefined
                ? new Undefined("the " + (isFirst ? "first" : "last") + " item of nothing")
                : item(sequence, isFirst ? 0 : -1);
    }

    /// `object[start:stop:step]` as in Python; null bounds mean the ends.
    public static Object slice(
            @Nullable Object object, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        if (object instanceof Undefined undefined) {
            throw undefined.used();
        }
        int size;
        if (object instanceof String text && bound(step, 1) == 1) {
            return cut(text, start, stop);
        } else if (object instanceof String text) {
            size = text.codePointCount(0, text.length());
        } else if (object instanceof List<?> list) {
            size = list.size();
        } else {
            throw new JinjaException(Values.described(object) + " cannot be sliced");
        }
        long stride = bound(step, 1);
        if (stride == 0) {
            throw new JinjaException("a slice's step is 0");
        }
        boolean isForward = stride > 0;
        long lowest = isForward ? 0 : -1;
        long highest = isForward ? size : size - 1;
        long from = start == null ? isForward ? lowest : highest : clamped(bound(start, 0), size, lowest, highest);
        long to = stop == null ? isForward ? highest : lowest : clamped(bound(stop, 0), size, lowest, highest);
        List<@Nullable Object> items = object instanceof List<?> list ? new ArrayList<>(list) : Values.items(object);
        List<@Nullable Object> cut = new ArrayList<>();
        for (long i = from; isForward ? i < to : i > to; i += Math.clamp(stride, -size - 1L, size + 1L)) {
            cut.add(items.get((int) i));
        }
        if (object instanceof String) {
            return TextMethods.join("", cut);
        }
        return object instanceof Tuple ? new Tuple(cut) : cut;
    }

    private static long clamped(long bound, int size, long lowest, long highest) {
        return Math.clamp(bound < 0 ? bound + size : bound, lowest, highest);
    }

    private static long bound(@Nullable Object value, long otherwise) {
        if (value == null) {
            return otherwise;
        }
        if (Values.number(value) instanceof Long bound) {
            return Math.clamp(bound, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        throw new JinjaException("a slice's bound is " + Values.described(value) + "; expected an integer");
    }

    /// The index of an item in a list, searched between `start` and `stop`.
    static long index(List<?> list, Arguments arguments) {
        Object item = arguments.required(0, "value");
        long start = arguments.integer(1, "start", 0);
        long stop = arguments.integer(2, "stop", list.size());
        long from = Math.max(0, start < 0 ? start + list.size() : start);
        long to = Math.min(list.size(), stop < 0 ? stop + list.size() : stop);
        for (long place = from; place < to; place++) {
            if (Values.equal(list.get((int) place), item)) {
                return place;
            }
        }
        throw new JinjaException(Values.described(item) + " is not in the list");
    }
}
