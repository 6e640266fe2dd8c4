package io.shadowkv.text.grammar;

/// A JSON schema asks for something that a grammar cannot enforce.
///
/// [#keyword] and [#pointer] say what and where, for the error that a client sees.
public final class GrammarException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String keyword;
    private final String pointer;

    GrammarException(String keyword, String pointer, String message) {
        super("schema at \"" + pointer + "\"" + (keyword.isEmpty() ? "" : ", keyword \"" + keyword + "\"") + ": "
                + message);
        this.keyword = keyword;
        this.pointer = pointer;
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
