package io.shadowkv.sampling;

/// Thrown when a model computes logits from which no token can be chosen: one is NaN, or the
/// largest is not finite. The weights are damaged, or the number format is too narrow. The message
/// names the logit.
public final class LogitsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LogitsException(String message) {
        super(message);
    }

    public LogitsException(String message, Throwable cause) {
        super(message, cause);
    }
}
