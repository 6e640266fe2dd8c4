package io.shadowkv.engine;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A request to generate one sequence.
///
/// @param promptIds token ids of the prompt, at least one; not copied
/// @param options when generation ends and how tokens are drawn
/// @param listener receives the progress
/// @param cancellation stops the sequence early
/// @param priority requests of a higher priority are admitted first; 0 is usual
/// @param timeout time from the submission after which the sequence ends with what it has; null
///     for no limit
/// @param constraint makes the sequence's constraint when it is submitted; null for no constraint
public record Request(
        int[] promptIds,
        GenerationOptions options,
        GenerationListener listener,
        Cancellation cancellation,
        int priority,
        @Nullable Duration timeout,
        @Nullable Supplier<TokenConstraint> constraint) {
    public Request {
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens; give at least one");
        }
        if (timeout != null && !timeout.isPositive()) {
            throw new IllegalArgumentException("timeout is " + timeout + "; expected a positive duration");
        }
    }

    public static Request of(int[] promptIds, GenerationOptions options) {
        return new Request(promptIds, options, GenerationListener.SILENT, new Cancellation(), 0, null, null);
    }

    public Request withPromptIds(int[] other) {
        return new Request(other, options, listener, cancellation, priority, timeout, constraint);
    }

    public Request withListener(GenerationListener other) {
        return new Request(promptIds, options, other, cancellation, priority, timeout, constraint);
    }

    public Request withCancellation(Cancellation other) {
        return new Request(promptIds, options, listener, other, priority, timeout, constraint);
    }

    public Request withPriority(int other) {
        return new Request(promptIds, options, listener, cancellation, other, timeout, constraint);
    }

    public Request withTimeout(@Nullable Duration other) {
        return new Request(promptIds, options, listener, cancellation, priority, other, constraint);
    }

    public Request withConstraint(@Nullable Supplier<TokenConstraint> other) {
        return new Request(promptIds, options, listener, cancellation, priority, timeout, other);
    }

    @Override
    public String toString() {
        return "Request[" + promptIds.length + " prompt tokens, " + options + "]";
    }
}
