package io.shadowkv.text.jinja.runtime;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Python's `'%s and %d' % (a, b)`: processes its values once.
public final class PercentFormat {
    private static final Pattern CODE =
            Pattern.compile("%(?:\\(([^)]*)\\))?([-#0 +]*)(\\*|\\d*)(?:\\.(\\*|\\d*))?[hlL]?(.)?", Pattern.DOTALL);

    private final String format;
    private final @Nullable Object operand;
    private final List<@Nullable Object> values;
    private int used;

    private PercentFormat(String format, @Nullable Object operand) {
        this.format = format;
        this.operand = operand;
        this.values = operand instanceof Tuple tuple ? tuple : Collections.singletonList(operand);
    }

    /// @param operand a tuple of values, a mapping for `%(name)s`, or one value
    /// @throws JinjaException if values and format do not match
    public static String text(String format, @Nullable Object operand) {
        PercentFormat run = new PercentFormat(format, operand);
        Matcher code = CODE.matcher(format);
        StringBuilder text = new StringBuilder();
        while (code.find()) {
            code.appendReplacement(text, Matcher.quoteReplacement(run.shown(code)));
            Values.checkLength(text.length());
        }
        run.checkUsed();
        return code.appendTail(text).toString();
    }

    private String shown(Matcher code) {
        String type = code.group(5);
        if (type == null) {
            throw new JinjaException("the format '" + format + "' ends inside a %");
        }
        if (type.equals("%")) {
            return "%";
        }
        String flags = code.group(2);
        // In Python's order: width, precision, value.
        Object named = code.group(1) == null ? null : named(code.group(1));
        int width = size(code.group(3));
        int precision = code.group(4) == null ? -1 : Math.max(0, size(code.group(4)));
        boolean isLeft = flags.contains("-") || width < 0;
        FormatSpec spec = new FormatSpec(
                flags.contains("0") && !isLeft ? '0' : 0,
                isLeft ? '<' : flags.contains("0") ? '=' : '>',
                flags.contains("+") ? '+' : flags.contains(" ") ? ' ' : (char) 0,
                flags.contains("#"),
                Math.abs(width),
                (char) 0,
                precision,
                type.charAt(0));
        return shown(spec, code.group(1) == null ? next() : named);
    }

    private static String shown(FormatSpec spec, @Nullable Object value) {
        Number number = Values.number(value);
        char type = spec.type();
        if (type == 's' || type == 'r') {
            String shown = type == 'r' && value instanceof String quoted ? Strings.quoted(quoted) : Values.text(value);
            return text(spec, spec.precision(), shown);
        }
        if (type == 'c' && number instanceof Long code) {
            return text(spec, -1, Character.toString(code.intValue()));
        }
        if (type == 'c' && value instanceof String text && text.codePointCount(0, text.length()) == 1) {
            return text(spec, -1, text);
        }
        if ("diu".indexOf(type) >= 0 && number != null) {
            return whole(spec, Arithmetic.truncated(number), 'd');
        }
        if ("oxX".indexOf(type) >= 0 && number instanceof Long whole) {
            return whole(spec, whole, type);
        }
        if ("eEfFgG".indexOf(type) >= 0 && number != null) {
            return spec.format(number.doubleValue());
        }
        throw new JinjaException("the format %" + type + " cannot be applied to " + Values.described(value));
    }

    private static String text(FormatSpec spec, int precision, String text) {
        char side = spec.align() == '<' ? '<' : '>';
        return new FormatSpec(0, side, (char) 0, false, spec.width(), (char) 0, precision, 's').format(text);
    }

    /// A precision is the minimum number of digits, filled with zeros.
    private static String whole(FormatSpec spec, long value, char type) {
        String plain =
                new FormatSpec(0, (char) 0, spec.sign(), spec.isAlternate(), 0, (char) 0, -1, type).format(value);
        int front = plain.length()
                - Long.toString(value, type == 'd' ? 10 : type == 'o' ? 8 : 16)
                        .replace("-", "")
                        .length();
        String digits = plain.substring(front);
        digits = "0".repeat(Math.max(0, spec.precision() - digits.length())) + digits;
        int missing = Math.max(0, spec.width() - front - digits.length());
        return switch (spec.align()) {
            case '<' -> plain.substring(0, front) + digits + " ".repeat(missing);
            case '=' -> plain.substring(0, front) + "0".repeat(missing) + digits;
            default -> " ".repeat(missing) + plain.substring(0, front) + digits;
        };
    }

    private int size(String given) {
        if (!given.equals("*")) {
            return FormatSpec.number(given, 0);
        }
        if (Values.number(next()) instanceof Long size) {
            Values.checkLength(Math.abs(size));
            return size.intValue();
        }
        throw new JinjaException("the format '" + format + "' needs an integer for *");
    }

    private @Nullable Object next() {
        if (used == values.size()) {
            throw new JinjaException("the format '" + format + "' needs more than " + values.size() + " values");
        }
        return values.get(used++);
    }

    private @Nullable Object named(String name) {
        if (!(operand instanceof Map<?, ?> map)) {
            throw new JinjaException("the format '" + format + "' needs a mapping, not " + Values.described(operand));
        }
        if (!Access.has(map, name)) {
            throw new JinjaException("the format '" + format + "' names \"" + name + "\", which is not in the mapping");
        }
        return Access.get(map, name);
    }

    /// Python allows an unused mapping or list, but no other unused value.
    private void checkUsed() {
        boolean mayStay = operand instanceof Map<?, ?> || operand instanceof List<?> && !(operand instanceof Tuple);
        if (used < values.size() && !mayStay) {
            throw new JinjaException("the format '" + format + "' takes " + used + " of " + values.size() + " values");
        }
    }
}
