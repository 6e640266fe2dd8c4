package io.shadowkv.sampling;

/// A model computed logits that no token can be chosen by: NaN, or a largest one that is not finite. The weights are
/// damaged or the number format is too narrow; the message names the logit.
public final class LogitsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LogitsException(String message) {
        super(message);
    }

    public LogitsException(String message, Throwable cause) {
        super(message, cause);
    }
}
