package io.shadowkv.text.jinja.runtime;

/// A template is malformed, or an operation in it fails; the message says what was found.
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Creates an exception without a line; `Template` adds the line.
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
