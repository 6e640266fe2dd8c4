package io.shadowkv.text.jinja.runtime;

/// A template is malformed, or asks for what cannot be done; the message says what was found.
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// An exception whose line is not known yet; `Template` adds it.
    public JinjaException(String message) {
        super(message);
    }

    public JinjaException(int line, String message) {
        super("line " + line + ": " + message);
    }

    public JinjaException(int line, JinjaException cause) {
        super("line " + line + ": " + cause.getMessage(), cause);
    }
}
