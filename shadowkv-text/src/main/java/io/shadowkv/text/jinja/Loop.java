package io.shadowkv.text.jinja;

import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.AbstractMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The variable `loop`, the position in a `for`. Its fields are computed on access.
final class Loop extends AbstractMap<String, @Nullable Object> {
    private final List<@Nullable Object> items;
    private int index;
    private @Nullable Object changed = new Undefined("nothing");

    Loop(List<@Nullable Object> items) {
        this.items = items;
    }

    void proceed(int to) {
        index = to;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // this loop represents a field that does not exist
    public boolean containsKey(@Nullable Object name) {
        return name instanceof String text && field(text) != this;
    }

    @Override
    public @Nullable Object get(@Nullable Object name) {
        return name instanceof String text && containsKey(text) ? field(text) : null;
    }

    @Override
    public Set<Entry<String, @Nullable Object>> entrySet() {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        shown.put("index", index + 1L);
        shown.put("length", (long) items.size());
        return shown.entrySet();
    }

    /// A field; this loop itself represents a field that does not exist, because null is a value.
    private @Nullable Object field(String name) {
        int size = items.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) size - index;
            case "revindex0" -> size - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == size - 1;
            case "length" -> (long) size;
            // Depth counts the recursion of one loop, not the nesting of several.
            case "depth" -> 1L;
            case "depth0" -> 0L;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("the item before the first");
            case "nextitem" -> index + 1 < size ? items.get(index + 1) : new Undefined("the item behind the last");
            case "cycle" -> (Callable) this::cycle;
            case "changed" -> (Callable) this::changes;
            default -> this;
        };
    }

    private @Nullable Object cycle(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new JinjaException("loop.cycle needs at least one argument");
        }
        return arguments.positional().get(index % arguments.positional().size());
    }

    private Object changes(Arguments arguments) {
        boolean isSame = Values.equal(changed, arguments.positional());
        changed = arguments.positional();
        return !isSame;
    }
}
