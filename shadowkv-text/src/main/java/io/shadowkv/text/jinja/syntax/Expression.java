package io.shadowkv.text.jinja.syntax;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A part of a tag that has a value.
public sealed interface Expression {
    /// A string, number, boolean or none.
    record Literal(@Nullable Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record Sequence(List<Expression> items, boolean isTuple) implements Expression {}

    record Mapping(List<Expression> keys, List<Expression> values) implements Expression {}

    /// `object.name`: looks for a method or field first, then for an item.
    record Attribute(Expression object, String name) implements Expression {}

    /// `object[key]`: looks for an item first, then for a field.
    record Item(Expression object, Expression key) implements Expression {}

    record Slice(
            Expression object,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step) implements Expression {}

    record Call(Expression function, ArgumentList arguments) implements Expression {}

    /// `object | name(arguments)`; without an object, filters the text of a statement.
    record Filter(@Nullable Expression object, String name, ArgumentList arguments) implements Expression {}

    record Test(Expression object, String name, ArgumentList arguments) implements Expression {}

    record Not(Expression operand) implements Expression {}

    record Negative(Expression operand) implements Expression {}

    /// `left operator right` for arithmetic, `~`, `and` and `or`.
    record Binary(String operator, Expression left, Expression right) implements Expression {}

    /// `a < b <= c`: true if every neighbouring pair is.
    record Comparison(Expression first, List<String> operators, List<Expression> others) implements Expression {}

    record Conditional(
            Expression condition, Expression then, @Nullable Expression otherwise) implements Expression {}

    /// The arguments of a call, filter or test.
    public record ArgumentList(List<Expression> positional, List<String> names, List<Expression> named) {
        public static final ArgumentList NONE = new ArgumentList(List.of(), List.of(), List.of());
    }
}
