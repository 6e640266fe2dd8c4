package io.shadowkv.text.chat;

/// A chat template is missing, malformed, or refuses the conversation (`raise_exception`).
///
/// The message is the template's own if the template raised it.
public final class ChatTemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Creates an exception with a message.
    public ChatTemplateException(String message) {
        super(message);
    }

    /// Creates an exception with a message and its cause.
    public ChatTemplateException(String message, Throwable cause) {
        super(message, cause);
    }
}
