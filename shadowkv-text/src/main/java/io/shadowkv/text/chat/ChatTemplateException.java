package io.shadowkv.text.chat;

/// A chat template is missing, malformed, or refuses the conversation (`raise_exception`).
///
/// The message is the template's own where the template raised it.
public final class ChatTemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// An exception with its whole story in the message.
    public ChatTemplateException(String message) {
        super(message);
    }

    /// An exception with the failure below it.
    public ChatTemplateException(String message, Throwable cause) {
        super(message, cause);
    }
}
