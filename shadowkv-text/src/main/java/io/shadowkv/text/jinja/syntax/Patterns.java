package io.shadowkv.text.jinja.syntax;

import java.util.regex.Pattern;

/// The lexer's regular expressions.
final class Patterns {
    /// The text after `{%` of a raw statement; group 1 is the sign before its end.
    static final Pattern RAW_BEGIN = Pattern.compile("\\s*raw\\s*(-?)%}");

    /// The end of a raw statement; groups 1 and 2 are the signs of both sides.
    static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%}");

    /// A number; group 1 is the fraction, group 2 the exponent of a float.
    static final Pattern NUMBER = Pattern.compile(
            "0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9][0-9_]*(\\.[0-9][0-9_]*)?([eE][+-]?[0-9]+)?");

    private Patterns() {}
}
