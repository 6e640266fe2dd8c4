package io.shadowkv.text.jinja.syntax;

import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Strings;
import io.shadowkv.text.jinja.syntax.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/// Splits a template's source into tokens.
///
/// Treats whitespace with Hugging Face's settings of Jinja: `trim_blocks` (removes the newline
/// after a statement or comment), `lstrip_blocks` (removes blanks before a statement or comment at
/// the beginning of a line), and removes one newline at the very end; `-` removes all whitespace on
/// its side, `+` none.
final class Lexer {
    private static final List<String> OPERATORS = List.of(
            "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "(", ")", "[", "]", "{", "}",
            ".", ",", ":", "|", "=", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    private boolean isLineStart = true;

    private Lexer(String source) {
        this.source = source;
    }

    /// The tokens, of which the last is of kind END.
    ///
    /// @throws JinjaException if a tag or string does not end, or a tag contains an invalid
    ///     character
    static List<Token> tokens(String source) {
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
        lexer.template();
        return lexer.tokens;
    }

    private void template() {
        while (position < source.length()) {
            int begin = nextTag();
            if (begin < 0) {
                addText(source.substring(position));
                advance(source.length());
                break;
            }
            char kind = source.charAt(begin + 1);
            String text = source.substring(position, begin);
            int inside = begin + 2;
            char sign = inside < source.length() ? source.charAt(inside) : ' ';
            boolean isSigned = sign == '-' || sign == '+' && kind != '{';
            addText(beforeTag(text, isSigned ? sign : ' ', kind));
            advance(isSigned ? inside + 1 : inside);
            switch (kind) {
                case '#' -> comment();
                case '{' -> tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
                default -> block();
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int i = position; (i = source.indexOf('{', i)) >= 0 && i + 1 < source.length(); i++) {
            if ("{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    private String beforeTag(String text, char sign, char kind) {
        if (sign == '-') {
            return text.substring(0, Strings.endOfStripped(text));
        }
        if (sign == '+' || kind == '{') {
            return text;
        }
        int start = text.lastIndexOf('\n') + 1;
        boolean isAlone = (start > 0 || isLineStart) && Strings.isSpace(text.substring(start));
        return isAlone ? text.substring(0, start) : text;
    }

    private void comment() {
        int end = source.indexOf("#}", position);
        if (end < 0) {
            throw new JinjaException(line, "a comment {# is not closed by #}");
        }
        char sign = end > position ? source.charAt(end - 1) : ' ';
        advance(end + 2);
        afterTag(sign, true);
    }

    private void block() {
        if (isRaw()) {
            return;
        }
        tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
    }

    /// Reads `raw %} … {% endraw %}` at the current position, if it is there.
    private boolean isRaw() {
        var begin = Patterns.RAW_BEGIN.matcher(source).region(position, source.length());
        if (!begin.lookingAt()) {
            return false;
        }
        var end = Patterns.RAW_END.matcher(source).region(begin.end(), source.length());
        if (!end.find()) {
            throw new JinjaException(line, "a raw statement is not closed by {% endraw %}");
        }
        advance(begin.end());
        boolean isStripped = begin.group(1).equals("-");
        String text = source.substring(begin.end(), end.start());
        text = isStripped ? text.substring(Strings.startOfStripped(text)) : text;
        String sign = end.group(1);
        addText(beforeTag(text, sign.isEmpty() ? ' ' : sign.charAt(0), '%'));
        advance(end.end());
        afterTag(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
        return true;
    }

    private void tag(Kind begin, Kind end, String closing) {
        int opened = line;
        add(begin, source.substring(position - 2, position));
        int depth = 0;
        while (position < source.length()) {
            char character = source.charAt(position);
            boolean isSigned = character == '-' || character == '+' && end == Kind.BLOCK_END;
            if (depth == 0 && source.startsWith(closing, isSigned ? position + 1 : position)) {
                add(end, closing);
                advance(position + (isSigned ? 3 : 2));
                afterTag(isSigned ? character : ' ', end == Kind.BLOCK_END);
                return;
            }
            if (Strings.isSpace(character)) {
                advance(position + 1);
            } else {
                Token token = token(character);
                depth += "([{".contains(token.text()) && token.kind() == Kind.OPERATOR ? 1 : 0;
                depth -= ")]}".contains(token.text()) && token.kind() == Kind.OPERATOR ? 1 : 0;
            }
        }
        throw new JinjaException(opened, "a tag is not closed by " + closing);
    }

    private Token token(char character) {
        if (character == '"' || character == '\'') {
            return string(character);
        }
        int end = position;
        if (Character.isDigit(character)) {
            var number = Patterns.NUMBER.matcher(source).region(position, source.length());
            if (number.lookingAt()) {
                boolean isFloat = number.group(1) != null || number.group(2) != null;
                return add(isFloat ? Kind.FLOAT : Kind.INTEGER, number.group().replace("_", ""), number.end());
            }
        }
        while (end < source.length() && Character.isUnicodeIdentifierPart(source.charAt(end))) {
            end++;
        }
        if (end > position) {
            return add(Kind.NAME, source.substring(position, end), end);
        }
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, position)) {
                return add(Kind.OPERATOR, operator, position + operator.length());
            }
        }
        throw new JinjaException(line, "unexpected character '" + character + "' in a tag");
    }

    private Token string(char quote) {
        int end = position + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw new JinjaException(line, "a string is not closed by " + quote);
        }
        return add(Kind.STRING, Strings.unescaped(source.substring(position + 1, end)), end + 1);
    }

    private Token add(Kind kind, String text, int end) {
        Token token = add(kind, text);
        advance(end);
        return token;
    }

    private Token add(Kind kind, String text) {
        Token token = new Token(kind, text, line);
        tokens.add(token);
        return token;
    }

    private void addText(String text) {
        if (!text.isEmpty()) {
            add(Kind.TEXT, text);
        }
    }

    private void afterTag(char sign, boolean isTrimmed) {
        isLineStart = false;
        if (sign == '-') {
            int end = position;
            while (end < source.length() && Strings.isSpace(source.charAt(end))) {
                end++;
            }
            isLineStart = end > position && source.charAt(end - 1) == '\n';
            advance(end);
        } else if (isTrimmed && sign != '+' && position < source.length() && source.charAt(position) == '\n') {
            advance(position + 1);
            isLineStart = true;
        }
    }

    private void advance(int to) {
        for (; position < to; position++) {
            if (source.charAt(position) == '\n') {
                line++;
            }
        }
    }
}
