package io.shadowkv.cli.process;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A number of bytes with an optional unit: `8G`, `512M`, `1.5g`, `2GiB`, `4096`; units are powers
/// of 1,024.
///
/// @param bytes greater than 0
public record ByteSize(long bytes) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,15}(?:\\.\\d{1,6})?)\\s*([KMGT]?)(?:I?B)?");

    /// Converts the argument of an option.
    public static final class Converter implements ITypeConverter<ByteSize> {
        @Override
        public ByteSize convert(String value) {
            Matcher matcher = FORM.matcher(value.strip().toUpperCase(Locale.ROOT));
            if (matcher.matches()) {
                int power = "KMGT".indexOf(matcher.group(2)) + 1;
                double bytes =
                        Double.parseDouble(matcher.group(1)) * (matcher.group(2).isEmpty() ? 1 : Math.pow(1024, power));
                if (bytes >= 1 && bytes < Long.MAX_VALUE) {
                    return new ByteSize((long) bytes);
                }
            }
            throw new TypeConversionException(
                    "'" + value + "' is not a size; expected a number of bytes above 0 such as 8G or 512M");
        }
    }

    /// Formats bytes with three digits and a unit.
    public static String text(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        String unit = "B";
        for (String larger : new String[] {"KiB", "MiB", "GiB", "TiB"}) {
            if (value < 1024) {
                break;
            }
            value /= 1024;
            unit = larger;
        }
        return String.format(Locale.ROOT, value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s", value, unit);
    }
}
