package io.shadowkv.text;

/// A tokenizer's files are missing, malformed or of a kind that is not read here.
///
/// The message names the file, what was found in it, and what to do.
public final class TokenizerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// An exception with its whole story in the message.
    public TokenizerException(String message) {
        super(message);
    }

    /// An exception with the failure below it.
    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
