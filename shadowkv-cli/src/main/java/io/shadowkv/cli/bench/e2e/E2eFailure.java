package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.process.Failures;

/// A run that failed; the runs before and after it count all the same.
///
/// @param method the strategy's name
/// @param contextTokens tokens of each prompt
/// @param cause what was thrown
record E2eFailure(String method, int contextTokens, Throwable cause) {
    String message() {
        return Failures.message(cause);
    }

    /// The sentence for standard error.
    String sentence() {
        return "%s at %,d tokens was not measured: %s".formatted(E2eTable.title(method), contextTokens, message());
    }
}
