package io.shadowkv.text.jinja.runtime;

import org.jspecify.annotations.Nullable;

/// A value that a template can call: a macro, a method, or a function given as a variable.
@FunctionalInterface
public interface Callable {
    /// @throws JinjaException if the arguments do not fit
    @Nullable
    Object call(Arguments arguments);
}
