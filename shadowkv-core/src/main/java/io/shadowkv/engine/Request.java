package io.shadowkv.engine;

/// A request to generate one sequence.
///
/// @param promptIds token ids of the prompt, at least one; not copied
/// @param options when generation ends and how tokens are drawn
/// @param listener receives the progress
/// @param cancellation stops the sequence early
public record Request(
        int[] promptIds, GenerationOptions options, GenerationListener listener, Cancellation cancellation) {
    public Request {
        if (promptIds.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens; give at least one");
        }
    }

    public static Request of(int[] promptIds, GenerationOptions options) {
        return new Request(promptIds, options, GenerationListener.SILENT, new Cancellation());
    }

    public Request withListener(GenerationListener other) {
        return new Request(promptIds, options, other, cancellation);
    }

    public Request withCancellation(Cancellation other) {
        return new Request(promptIds, options, listener, other);
    }
}
