package io.shadowkv.text.jinja.syntax;

/// A token of a template's source.
///
/// @param text for TEXT, the text after whitespace control; for STRING, the value; otherwise the
///     source text
/// @param line counted from 1
record Token(Kind kind, String text, int line) {
    /// The kinds of tokens; BEGIN and END are the delimiters of `{{ }}` and `{% %}`.
    enum Kind {
        TEXT,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    /// The description of the token in messages.
    String described() {
        return switch (kind) {
            case END -> "the end of the template";
            case BLOCK_END -> "the end of the statement";
            case OUTPUT_END -> "the end of the expression";
            case STRING -> "the string \"" + text + "\"";
            default -> "\"" + text + "\"";
        };
    }
}
