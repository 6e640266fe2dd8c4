package io.shadowkv.text.jinja.runtime;

/// The template called `raise_exception`; the message is the template's own.
public final class RaisedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RaisedException(String message) {
        super(message);
    }
}
