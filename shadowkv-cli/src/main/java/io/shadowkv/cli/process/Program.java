package io.shadowkv.cli.process;

import io.shadowkv.engine.Cancellation;

/// The running program, as its commands see it.
public interface Program {
    Surroundings surroundings();

    /// Ends a running command early; the command keeps its results so far.
    Cancellation cancellation();

    /// True if failures are shown with their stack trace.
    boolean isDebug();

    /// Finds models by their names.
    default ModelFinder models() {
        return new ModelFinder(surroundings());
    }
}
