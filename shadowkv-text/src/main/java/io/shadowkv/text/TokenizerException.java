package io.shadowkv.text;

/// A tokenizer's files are missing, malformed or of an unsupported kind.
///
/// The message names the file, what was found in it, and what to do.
public final class TokenizerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Creates an exception with a message.
    public TokenizerException(String message) {
        super(message);
    }

    /// Creates an exception with a message and its cause.
    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
