package io.shadowkv.cli.process;

import io.shadowkv.engine.Cancellation;

/// The running command line, as its commands see it.
public interface Program {
    Surroundings surroundings();

    /// Ends a running command early; what it has so far is kept.
    Cancellation cancellation();

    /// True if a failure is shown with its stack trace.
    boolean isDebug();

    /// Finds models by the names people give them.
    default ModelFinder models() {
        return new ModelFinder(surroundings());
    }
}
