package io.shadowkv.text.jinja.syntax;

import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.syntax.Token.Kind;
import java.util.List;

/// A position in a template's tokens.
final class TokenStream {
    private final List<Token> tokens;
    private int position;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(position);
    }

    /// The token after [#peek].
    Token second() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(position);
        if (token.kind() != Kind.END) {
            position++;
        }
        return token;
    }

    /// Consumes the operator if it is the next token.
    boolean take(String operator) {
        boolean isHere = peek().is(operator);
        if (isHere) {
            next();
        }
        return isHere;
    }

    /// Consumes the word if it is the next token.
    boolean takeName(String name) {
        boolean isHere = peek().isName(name);
        if (isHere) {
            next();
        }
        return isHere;
    }

    void expect(String operator) {
        if (!take(operator)) {
            throw unexpected("\"" + operator + "\"");
        }
    }

    Token expect(Kind kind, String expected) {
        if (peek().kind() != kind) {
            throw unexpected(expected);
        }
        return next();
    }

    String name() {
        return expect(Kind.NAME, "a name").text();
    }

    JinjaException unexpected(String expected) {
        Token found = peek();
        return new JinjaException(found.line(), "found " + found.described() + ", expected " + expected);
    }
}
