package io.shadowkv.text.jinja;

import io.shadowkv.text.jinja.runtime.Undefined;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Variables, looked up from the innermost scope outwards and set in the innermost; each loop
/// iteration has its own.
final class Scope {
    private final @Nullable Scope outer;
    private final Map<String, @Nullable Object> variables = new HashMap<>();

    Scope(@Nullable Scope outer) {
        this.outer = outer;
    }

    @Nullable
    Object value(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.variables.containsKey(name)) {
                return scope.variables.get(name);
            }
        }
        return new Undefined("\"" + name + "\"");
    }

    void set(String name, @Nullable Object value) {
        variables.put(name, value);
    }
}
