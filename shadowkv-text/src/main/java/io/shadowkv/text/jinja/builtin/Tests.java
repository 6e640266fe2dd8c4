package io.shadowkv.text.jinja.builtin;

import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Arithmetic;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Parameters;
import io.shadowkv.text.jinja.runtime.TextMethods;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The tests after `is`.
public final class Tests {
    private static final Map<String, Parameters> TESTS = Parameters.table("""
            defined|undefined|none|string|mapping|sequence|iterable|boolean|true|false|number|integer|float()
            callable|upper|lower|odd|even()
            divisibleby(num)
            in(seq)
            sameas(other)
            eq|equalto|==|ne|!=|lt|lessthan|<|le|<=|gt|greaterthan|>|ge|>=(other, /)""");

    private Tests() {}

    /// @throws JinjaException if the test does not exist, or its arguments are invalid
    public static boolean holds(@Nullable Object value, String name, Arguments arguments) {
        Parameters parameters = TESTS.get(name);
        if (parameters == null) {
            throw new JinjaException("there is no test \"" + name + "\" here");
        }
        parameters.check(arguments);
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map<?, ?>;
            case "sequence", "iterable" -> isIterable(value);
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "number" -> value instanceof Number || value instanceof Boolean;
            case "integer" -> value instanceof Number && Values.number(value) instanceof Long;
            case "float" -> value instanceof Number && Values.number(value) instanceof Double;
            case "callable" -> value instanceof Callable || value instanceof Undefined;
            case "upper" ->
                TextMethods.isCase(Values.text(value), Values.text(value).toUpperCase(Locale.ROOT));
            case "lower" ->
                TextMethods.isCase(Values.text(value), Values.text(value).toLowerCase(Locale.ROOT));
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
            case "odd" -> Values.equal(remainder(value, 2L, name), 1L);
            case "even" -> Values.equal(remainder(value, 2L, name), 0L);
            case "divisibleby" -> Values.equal(remainder(value, arguments.required(0, "num"), name), 0L);
            case "eq", "equalto", "==" -> Values.equal(value, arguments.required(0, "other"));
            case "ne", "!=" -> !Values.equal(value, arguments.required(0, "other"));
            case "sameas" -> isSame(value, arguments.required(0, "other"));
            case "lt", "lessthan", "<" -> Values.compare(value, arguments.required(0, "other")) < 0;
            case "le", "<=" -> Values.compare(value, arguments.required(0, "other")) <= 0;
            case "gt", "greaterthan", ">" -> Values.compare(value, arguments.required(0, "other")) > 0;
            case "ge", ">=" -> Values.compare(value, arguments.required(0, "other")) >= 0;
            default -> Values.contains(arguments.required(0, "seq"), value);
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

    private static @Nullable Object remainder(@Nullable Object value, @Nullable Object divisor, String name) {
        if (Values.number(value) == null) {
            throw new JinjaException(Values.described(value) + " is not a number, which \"" + name + "\" needs");
        }
        return Arithmetic.apply("%", value, divisor);
    }
}
