package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What stands behind `is`.
public final class Tests {
    private Tests() {}

    public static boolean holds(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map<?, ?>;
            case "sequence" -> value instanceof List<?> || value instanceof Map<?, ?> || value instanceof String;
            case "iterable" -> isIterable(value);
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "number" -> value instanceof Number || value instanceof Boolean;
            case "integer" -> value instanceof Number && Values.number(value) instanceof Long;
            case "float" -> value instanceof Number && Values.number(value) instanceof Double;
            case "callable" -> value instanceof Callable;
            case "upper" -> Values.text(value).equals(Values.text(value).toUpperCase(Locale.ROOT));
            case "lower" -> Values.text(value).equals(Values.text(value).toLowerCase(Locale.ROOT));
            default -> compares(value, name, arguments);
        };
    }

    private static boolean isIterable(@Nullable Object value) {
        return value instanceof List<?>
                || value instanceof Map<?, ?>
                || value instanceof String
                || value instanceof Undefined;
    }

    private static boolean compares(@Nullable Object value, String name, Arguments arguments) {
        return switch (name) {
            case "odd" -> integer(value, name) % 2 != 0;
            case "even" -> integer(value, name) % 2 == 0;
            case "divisibleby" -> {
                long divisor = arguments.integer(0, "num", 0);
                if (divisor == 0) {
                    throw new JinjaException("divisibleby needs a number other than 0");
                }
                yield integer(value, name) % divisor == 0;
            }
            case "eq", "equalto", "==" -> Values.equal(value, arguments.required(0, "other"));
            case "ne", "!=" -> !Values.equal(value, arguments.required(0, "other"));
            case "sameas" -> isSame(value, arguments.required(0, "other"));
            case "lt", "lessthan", "<" -> Values.compare(value, arguments.required(0, "other")) < 0;
            case "le", "<=" -> Values.compare(value, arguments.required(0, "other")) <= 0;
            case "gt", "greaterthan", ">" -> Values.compare(value, arguments.required(0, "other")) > 0;
            case "ge", ">=" -> Values.compare(value, arguments.required(0, "other")) >= 0;
            case "in" -> Values.contains(arguments.required(0, "seq"), value);
            default -> throw new JinjaException("there is no test \"" + name + "\" here");
        };
    }

    private static boolean isSame(@Nullable Object value, @Nullable Object other) {
        return switch (value) {
            case Boolean plain -> plain.equals(other);
            case Number plain -> plain.equals(other);
            case String plain -> plain.equals(other);
            case null, default -> isIdentical(value, other);
        };
    }

    @SuppressWarnings("ReferenceEquality") // Python's `is`
    private static boolean isIdentical(@Nullable Object value, @Nullable Object other) {
        return value == other;
    }

    private static long integer(@Nullable Object value, String name) {
        if (Values.number(value) instanceof Long number) {
            return number;
        }
        throw new JinjaException(Values.described(value) + " is not an integer, which \"" + name + "\" asks about");
    }
}
