package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Arithmetic;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The filters that convert or change numbers.
final class NumberFilters {
    /// The input of Python's `float`, except the words for values that are not finite.
    private static final Pattern REAL =
            Pattern.compile("[+-]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)([eE][+-]?\\d+(_\\d+)*)?");

    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9a-zA-Z]+(_[0-9a-zA-Z]+)*");

    private NumberFilters() {}

    static @Nullable Object integer(@Nullable Object value, Arguments arguments) {
        if (value instanceof Undefined undefined) {
            throw undefined.used();
        }
        Number number = Values.number(value);
        if (number != null) {
            return Arithmetic.truncated(number);
        }
        if (value instanceof String text) {
            BigInteger whole = whole(text.strip(), arguments.integer(1, "base", 10));
            if (whole != null) {
                return whole.longValueExact();
            }
            Double real = real(text);
            if (real != null && Double.isFinite(real)) {
                return Arithmetic.truncated(real);
            }
        }
        return arguments.value(0, "default", 0L);
    }

    /// @param base 0 means the base of the prefix, or 10 without one
    private static @Nullable BigInteger whole(String text, long base) {
        if (!WHOLE.matcher(text).matches() || base < 0 || base == 1 || base > 36) {
            return null;
        }
        int sign = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
        String digits = text.substring(sign).replace("_", "").toLowerCase(Locale.ROOT);
        int prefix = digits.startsWith("0x") ? 16 : digits.startsWith("0o") ? 8 : digits.startsWith("0b") ? 2 : 10;
        boolean isPrefixed = prefix != 10 && (base == 0 || base == prefix);
        try {
            BigInteger whole =
                    new BigInteger(isPrefixed ? digits.substring(2) : digits, base == 0 ? prefix : (int) base);
            return text.startsWith("-") ? whole.negate() : whole;
        } catch (NumberFormatException e) {
            return null;
        }
    }

    static @Nullable Object floating(@Nullable Object value, Arguments arguments) {
        if (value instanceof Undefined undefined) {
            throw undefined.used();
        }
        Number number = Values.number(value);
        if (number != null) {
            return number.doubleValue();
        }
        Object parsed = value instanceof String text ? real(text) : null;
        return parsed == null ? arguments.value(0, "default", 0.0) : parsed;
    }

    private static @Nullable Double real(String text) {
        String stripped = text.strip();
        if (REAL.matcher(stripped).matches()) {
            return Double.valueOf(stripped.replace("_", ""));
        }
        boolean isNegative = stripped.startsWith("-");
        String word = isNegative || stripped.startsWith("+") ? stripped.substring(1) : stripped;
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "inf", "infinity" -> isNegative ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> null;
        };
    }

    static Object round(@Nullable Object value, Arguments arguments) {
        Number number = Values.number(value);
        if (number == null) {
            throw new JinjaException(Values.described(value) + " cannot be rounded");
        }
        int digits = Math.clamp(arguments.integer(0, "precision", 0), -400, 400);
        String method = Values.text(arguments.value(1, "method", "common"));
        double scale = Math.pow(10, digits);
        return switch (method) {
            case "common" -> common(number, digits);
            case "ceil" -> (Arithmetic.finite(Math.ceil(number.doubleValue() * scale)) + 0.0) / scale;
            case "floor" -> (Arithmetic.finite(Math.floor(number.doubleValue() * scale)) + 0.0) / scale;
            default ->
                throw new JinjaException(
                        "round: the method is '" + method + "'; expected \"common\", \"ceil\" or \"floor\"");
        };
    }

    /// Rounds half to even; a whole number stays a whole number.
    private static Object common(Number number, int digits) {
        if (number instanceof Long whole) {
            BigDecimal rounded = new BigDecimal(whole).setScale(Math.min(0, digits), RoundingMode.HALF_EVEN);
            return rounded.longValueExact();
        }
        double real = number.doubleValue();
        return Double.isFinite(real)
                ? Math.copySign(
                        new BigDecimal(real)
                                .setScale(digits, RoundingMode.HALF_EVEN)
                                .doubleValue(),
                        real)
                : real;
    }

    static Object absolute(@Nullable Object value) {
        Number number = Values.number(value);
        if (number == null) {
            throw new JinjaException(Values.described(value) + " has no absolute value");
        }
        return number instanceof Long whole ? (Object) Math.absExact(whole) : (Object) Math.abs(number.doubleValue());
    }
}
