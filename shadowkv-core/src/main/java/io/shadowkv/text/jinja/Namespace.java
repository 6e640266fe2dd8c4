package io.shadowkv.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What `namespace()` makes: fields that may be set from inside loops.
final class Namespace {
    private final Map<String, @Nullable Object> fields = new HashMap<>();

    Map<String, @Nullable Object> fields() {
        return fields;
    }
}
