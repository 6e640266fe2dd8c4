package io.shadowkv.text.jinja.runtime;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The result of `namespace()`: fields that can be set inside loops.
public final class Namespace {
    private final Map<String, @Nullable Object> fields = new HashMap<>();

    public Map<String, @Nullable Object> fields() {
        return fields;
    }
}
