package io.shadowkv.text.jinja.runtime;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A nonempty format specification of Python (`>10`, `05.1f`, `,`); `%` formats are converted to
/// it.
///
/// @param fill the fill character, or 0 for a blank
/// @param align one of `<>=^`, or 0 for the default of the value
/// @param sign one of `+- `, or 0 for `-`
/// @param isAlternate whether `#` is given
/// @param width minimum number of characters
/// @param grouping `,` or `_` between groups of digits, or 0
/// @param precision digits after the decimal point, or -1
/// @param type the letter at the end, or 0
record FormatSpec(
        int fill, char align, char sign, boolean isAlternate, int width, char grouping, int precision, char type) {
    private static final Pattern SPEC = Pattern.compile(
            "(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\\d+)?([,_])?(?:\\.(\\d+))?([a-zA-Z%])?", Pattern.DOTALL);

    /// More digits than any 64-bit number has; C has a limit of similar size.
    private static final int MOST_DIGITS = 1100;

    /// @throws JinjaException if the specification is not supported
    static FormatSpec of(String text) {
        Matcher parts = SPEC.matcher(text);
        if (!parts.matches() || parts.group(4) != null) {
            throw new JinjaException("the format specification '" + text + "' is not known here");
        }
        boolean isZero = parts.group(6) != null;
        char align = parts.group(2) == null ? (char) 0 : parts.group(2).charAt(0);
        int fill = parts.group(1) == null ? 0 : parts.group(1).codePointAt(0);
        return new FormatSpec(
                fill == 0 && isZero ? '0' : fill,
                align == 0 && isZero ? '0' : align,
                first(parts.group(3)),
                parts.group(5) != null,
                number(parts.group(7), 0),
                first(parts.group(8)),
                number(parts.group(9), -1),
                first(parts.group(10)));
    }

    private static char first(@Nullable String text) {
        return text == null ? 0 : text.charAt(0);
    }

    static int number(@Nullable String digits, int otherwise) {
        if (digits == null || digits.isEmpty()) {
            return otherwise;
        }
        if (digits.length() > 8) {
            throw new JinjaException("a width or precision of " + digits + " is too large");
        }
        Values.checkLength(Integer.parseInt(digits));
        return Integer.parseInt(digits);
    }

    /// Formats the value like Python's `format`.
    ///
    /// @throws JinjaException if the specification cannot be applied to the value
    String format(@Nullable Object value) {
        if (value instanceof String text) {
            return text(text);
        }
        Number number = Values.number(value);
        if (number == null) {
            throw unfit(value);
        }
        boolean isWhole = number instanceof Long && "eEfFgG%".indexOf(type) < 0;
        return isWhole ? whole(number.longValue()) : real(number.doubleValue());
    }

    private JinjaException unfit(@Nullable Object value) {
        return new JinjaException("a format specification" + (type == 0 ? "" : " of type " + type)
                + " cannot be applied to " + Values.described(value));
    }

    private String text(String text) {
        if (type != 0 && type != 's' || sign != 0 || isAlternate || grouping != 0 || align == '=') {
            throw unfit(text);
        }
        int length = text.codePointCount(0, text.length());
        String cut =
                precision >= 0 && precision < length ? text.substring(0, text.offsetByCodePoints(0, precision)) : text;
        return padded("", cut, align == 0 || align == '0' ? '<' : align);
    }

    private String whole(long value) {
        if (type == 'c') {
            return padded("", Character.toString((int) value), align == 0 || align == '0' ? '>' : align);
        }
        if (precision >= 0 || "bcdnoxX\0".indexOf(type) < 0) {
            throw unfit(value);
        }
        int base = switch (type) {
            case 'b' -> 2;
            case 'o' -> 8;
            case 'x', 'X' -> 16;
            default -> 10;
        };
        String prefix = isAlternate && base != 10 ? "0" + type : "";
        String digits = Long.toString(value, base).replace("-", "");
        digits = type == 'X' ? digits.toUpperCase(Locale.ROOT) : digits;
        return number(signOf(value < 0) + prefix, digits, "", base == 10 ? 3 : 4);
    }

    private String real(double value) {
        if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
            throw unfit(value);
        }
        String shown = Double.isFinite(value) ? digits(type == '%' ? value * 100 : value) : Strings.number(value);
        String digits = shown.startsWith("-") ? shown.substring(1) : shown;
        digits = type == 'E' || type == 'F' || type == 'G' ? digits.toUpperCase(Locale.ROOT) : digits;
        int end = TextSearch.firstNot(digits, 0, codePoint -> codePoint >= '0' && codePoint <= '9');
        String rest = digits.substring(end) + (type == '%' ? "%" : "");
        return number(signOf(shown.startsWith("-")), digits.substring(0, end), rest, 3);
    }

    private String signOf(boolean isNegative) {
        return isNegative ? "-" : sign == '+' || sign == ' ' ? String.valueOf(sign) : "";
    }

    /// Combines the parts of a number and fills it to the width.
    ///
    /// @param before sign and prefix
    /// @param rest the part after the whole digits
    private String number(String before, String digits, String rest, int group) {
        boolean isInside = align == '=' || align == '0';
        String grouped = grouped(digits, group);
        if (isInside && fill == '0' && grouping != 0) {
            // Zeros that fill the width are grouped like digits.
            String zeros = digits;
            while (before.length() + grouped.length() + rest.length() < width) {
                zeros = "0" + zeros;
                grouped = grouped(zeros, group);
            }
        }
        return isInside
                ? padded(before, grouped + rest, '=')
                : padded("", before + grouped + rest, align == 0 ? '>' : align);
    }

    private String grouped(String digits, int group) {
        if (grouping == 0 || digits.isEmpty()) {
            return digits;
        }
        StringBuilder grouped = new StringBuilder(digits);
        for (int at = digits.length() - group; at > 0; at -= group) {
            grouped.insert(at, grouping);
        }
        return grouped.toString();
    }

    private String padded(String before, String text, char side) {
        int missing = Math.max(0, width - before.length() - text.codePointCount(0, text.length()));
        int left = side == '<' ? 0 : side == '^' ? missing / 2 : missing;
        String filling = Character.toString(fill == 0 ? ' ' : fill);
        return before + filling.repeat(left) + text + filling.repeat(missing - left);
    }

    /// The digits of a finite number as written by C's `printf`, with `-` in front of a negative
    /// number.
    private String digits(double value) {
        int most = Math.min(precision < 0 ? 6 : precision, MOST_DIGITS);
        String zero = value == 0 && 1 / value < 0 ? "-" : "";
        return switch (type) {
            case 'f', 'F', '%' -> {
                String plain = new BigDecimal(value)
                        .setScale(most, RoundingMode.HALF_EVEN)
                        .toPlainString();
                boolean isZero = value < 0 && !plain.startsWith("-");
                yield (isZero ? "-" : zero) + plain + (isAlternate && most == 0 ? "." : "");
            }
            case 'e', 'E' -> zero + scientific(value, most, true);
            case 0 -> precision < 0 ? Strings.number(value) : zero + general(value, Math.max(1, most), true);
            default -> zero + general(value, Math.max(1, most), false);
        };
    }

    private String scientific(double value, int behind, boolean keepsZeros) {
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(behind + 1, RoundingMode.HALF_EVEN));
        String digits = rounded.unscaledValue().abs().toString();
        int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        digits = rounded.signum() == 0 ? "0" : digits;
        digits += "0".repeat(Math.max(0, behind + 1 - digits.length()));
        String fraction = keepsZeros ? digits.substring(1) : withoutZeros(digits.substring(1));
        String point = fraction.isEmpty() && !isAlternate ? "" : ".";
        return (rounded.signum() < 0 ? "-" : "")
                + digits.charAt(0)
                + point
                + fraction
                + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    /// @param hasPoint whether a number without an exponent has at least one digit after the
    ///     decimal point
    private String general(double value, int significant, boolean hasPoint) {
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(significant, RoundingMode.HALF_EVEN));
        int exponent = rounded.signum() == 0 ? 0 : rounded.precision() - rounded.scale() - 1;
        if (exponent < -4 || exponent >= significant - (hasPoint ? 1 : 0)) {
            return scientific(value, significant - 1, isAlternate);
        }
        String plain = rounded.setScale(Math.max(0, significant - 1 - exponent), RoundingMode.HALF_EVEN)
                .toPlainString();
        String shown = isAlternate || plain.indexOf('.') < 0 ? plain : withoutZeros(plain);
        String point = hasPoint ? ".0" : isAlternate ? "." : "";
        return shown.indexOf('.') < 0 ? shown + point : shown;
    }

    private static String withoutZeros(String digits) {
        String shorter = digits.substring(0, TextSearch.lastNot(digits, digits.length(), digit -> digit == '0'));
        return shorter.endsWith(".") ? shorter.substring(0, shorter.length() - 1) : shorter;
    }
}
