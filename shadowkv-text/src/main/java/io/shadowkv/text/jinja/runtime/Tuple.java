package io.shadowkv.text.jinja.runtime;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A list that is printed in parentheses and cannot be changed.
public final class Tuple extends AbstractList<@Nullable Object> {
    private final List<@Nullable Object> items;

    public Tuple(List<@Nullable Object> items) {
        this.items = items;
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
