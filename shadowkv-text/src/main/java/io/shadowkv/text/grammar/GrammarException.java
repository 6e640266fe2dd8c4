package io.shadowkv.text.grammar;

/// A JSON schema asks for something that a grammar cannot enforce.
///
/// [#keyword] and [#pointer] say what and where, for the error that a client sees.
public final class GrammarException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String keyword;
    private final String pointer;
    private final String reason;

    GrammarException(String keyword, String pointer, String message) {
        super("schema at \"" + pointer + "\"" + (keyword.isEmpty() ? "" : ", keyword \"" + keyword + "\"") + ": "
                + message);
        this.keyword = keyword;
        this.pointer = pointer;
        this.reason = message;
    }

    /// The same for a schema that stands at `place` within the compiled one, with the pointer that
    /// leads there from it.
    ///
    /// @param place JSON pointer with which [#pointer] begins
    public GrammarException within(String place) {
        return new GrammarException(keyword, pointer.substring(place.length()), reason);
    }

    /// The keyword that cannot be honoured, such as `not`; empty if it is the schema as a whole.
    public String keyword() {
        return keyword;
    }

    /// JSON pointer (RFC 6901) of the schema that holds the keyword; empty for the root.
    public String pointer() {
        return pointer;
    }
}
