package io.shadowkv.text.jinja.runtime;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An immutable list that prints in parentheses.
public final class Tuple extends AbstractList<@Nullable Object> {
    private final List<@Nullable Object> items;
    private final List<String> names;

    public Tuple(List<@Nullable Object> items) {
        this(items, List.of());
    }

    /// @param names names of the items, which can also be accessed as fields
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
