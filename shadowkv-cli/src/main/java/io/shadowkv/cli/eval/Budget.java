package io.shadowkv.cli.eval;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Tokens selected per step and head, as a number such as `2048` or a share of the context such as
/// `1.56%`.
///
/// @param tokens a number of tokens; 0 if the budget is a share
/// @param percent a share of the context; 0 if the budget is a number
record Budget(int tokens, double percent) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,9})|(\\d{1,2}(?:\\.\\d{1,6})?|100)%");

    /// The number of tokens at a context length: the nearest multiple of a chunk, at least one
    /// chunk.
    int at(int contextTokens, int chunkTokens) {
        if (percent == 0) {
            return tokens;
        }
        long chunks = Math.round(percent / 100 * contextTokens / chunkTokens);
        return (int) Math.max(1, chunks) * chunkTokens;
    }

    /// Converts the argument of an option.
    static final class Converter implements ITypeConverter<Budget> {
        @Override
        public Budget convert(String value) {
            Matcher matcher = FORM.matcher(value.strip());
            if (matcher.matches()) {
                if (matcher.group(1) != null && Integer.parseInt(matcher.group(1)) > 0) {
                    return new Budget(Integer.parseInt(matcher.group(1)), 0);
                }
                if (matcher.group(2) != null && Double.parseDouble(matcher.group(2)) > 0) {
                    return new Budget(0, Double.parseDouble(matcher.group(2)));
                }
            }
            throw new TypeConversionException("'" + value
                    + "' is not a budget; expected tokens, such as 2048, or a share of --length, such as 1.56%");
        }
    }
}
