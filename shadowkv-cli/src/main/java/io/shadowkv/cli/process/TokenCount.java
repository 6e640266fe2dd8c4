package io.shadowkv.cli.process;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A number of tokens with an optional unit: `122k` (of 1,024), `1m` (of 1,024²), `124928`.
///
/// @param tokens 1 or more
public record TokenCount(int tokens) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,10})([KM]?)");

    /// Converts the argument of an option.
    public static final class Converter implements ITypeConverter<TokenCount> {
        @Override
        public TokenCount convert(String value) {
            Matcher matcher = FORM.matcher(value.strip().toUpperCase(Locale.ROOT));
            if (matcher.matches()) {
                int shift = switch (matcher.group(2)) {
                    case "K" -> 10;
                    case "M" -> 20;
                    default -> 0;
                };
                long tokens = Long.parseLong(matcher.group(1)) << shift;
                if (tokens >= 1 && tokens <= Integer.MAX_VALUE) {
                    return new TokenCount((int) tokens);
                }
            }
            throw new TypeConversionException("'" + value
                    + "' is not a number of tokens; expected 1 or more, such as 122k (k is 1,024) or 124928");
        }
    }
}
