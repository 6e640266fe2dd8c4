package io.shadowkv.text.grammar.regex;

/// A pattern is malformed, uses something that is not regular, or needs too many states.
public final class RegexException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RegexException(String message) {
        super(message);
    }
}
