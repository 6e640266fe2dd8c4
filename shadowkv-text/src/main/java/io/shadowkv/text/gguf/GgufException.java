package io.shadowkv.text.gguf;

/// A GGUF file that violates the format, or lacks something; the message names file and key.
public final class GgufException extends RuntimeException {
    private static final long serialVersionUID = 1;

    GgufException(String message) {
        super(message);
    }

    GgufException(String message, Throwable cause) {
        super(message, cause);
    }
}
