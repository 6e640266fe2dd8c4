package io.shadowkv.text.jinja.runtime;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A list that is printed in parentheses and cannot be changed.
public final class Tuple extends AbstractList<@Nullable Object> {
    private final List<@Nullable Object> items;
    private final List<String> names;

    public Tuple(List<@Nullable Object> items) {
        this(items, List.of());
    }

    /// @param names of the items, so that they can be asked for as fields too
    public Tuple(List<@Nullable Object> items, List<String> names) {
        this.items = items;
        this.names = names;
    }

    List<String> names() {
        return names;
    }

    @Override
    public @Nullable Object get(int index) {
        return items.get(index);
    }

    @Override
    public int size() {
        return items.size();
    }
}
