package io.shadowkv.text.jinja.runtime;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The evaluated arguments of one call.
public record Arguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    public static final Arguments NONE = new Arguments(List.of(), Map.of());

    /// The argument by position or name; `otherwise` if neither is given.
    public @Nullable Object value(int place, String name, @Nullable Object otherwise) {
        if (place < positional.size()) {
            return positional.get(place);
        }
        return named.containsKey(name) ? named.get(name) : otherwise;
    }

    /// The argument by position or name.
    ///
    /// @throws JinjaException if it is not given
    public @Nullable Object required(int place, String name) {
        if (place >= positional.size() && !named.containsKey(name)) {
            throw new JinjaException("the argument " + (place + 1) + " (" + name + ") is missing");
        }
        return value(place, name, null);
    }

    /// A required argument as text.
    public String text(int place, String name) {
        if (required(place, name) instanceof String text) {
            return text;
        }
        throw new JinjaException(
                "the argument " + name + " is " + Values.described(value(place, name, null)) + "; expected a string");
    }

    /// An argument as an integer; none and absent mean `otherwise`.
    public long integer(int place, String name, long otherwise) {
        Object value = value(place, name, null);
        if (value == null) {
            return otherwise;
        }
        if (Values.number(value) instanceof Long number) {
            return number;
        }
        throw new JinjaException("the argument " + name + " is " + Values.described(value) + "; expected an integer");
    }

    public boolean flag(int place, String name, boolean otherwise) {
        return Values.isTrue(value(place, name, otherwise));
    }

    public boolean isGiven(int place, String name) {
        return place < positional.size() || named.containsKey(name);
    }
}
