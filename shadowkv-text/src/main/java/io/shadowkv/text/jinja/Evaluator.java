package io.shadowkv.text.jinja;

import io.shadowkv.text.jinja.builtin.Filters;
import io.shadowkv.text.jinja.builtin.Tests;
import io.shadowkv.text.jinja.runtime.Access;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Arithmetic;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Sequences;
import io.shadowkv.text.jinja.runtime.Tuple;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import io.shadowkv.text.jinja.syntax.Expression;
import io.shadowkv.text.jinja.syntax.Expression.ArgumentList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Evaluates expressions. Confined to one rendering.
final class Evaluator {
    private Evaluator() {}

    static @Nullable Object value(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.value(name.name());
            case Expression.Sequence sequence -> {
                List<@Nullable Object> items = values(sequence.items(), scope);
                yield sequence.isTuple() ? new Tuple(items) : items;
            }
            case Expression.Mapping mapping -> mapping(mapping, scope);
            case Expression.Attribute attribute -> Access.attribute(value(attribute.object(), scope), attribute.name());
            case Expression.Item item -> Access.item(value(item.object(), scope), value(item.key(), scope));
            case Expression.Slice slice ->
                Sequences.slice(
                        value(slice.object(), scope),
                        optional(slice.start(), scope),
                        optional(slice.stop(), scope),
                        optional(slice.step(), scope));
            case Expression.Call call -> call(call, scope);
            case Expression.Filter filter -> filter(filter, optional(filter.object(), scope), scope);
            case Expression.Test test ->
                Tests.holds(value(test.object(), scope), test.name(), arguments(test.arguments(), scope));
            case Expression.Not not -> !Values.isTrue(value(not.operand(), scope));
            case Expression.Negative negative -> Arithmetic.negative(value(negative.operand(), scope));
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Comparison comparison -> compares(comparison, scope);
            case Expression.Conditional conditional -> conditional(conditional, scope);
        };
    }

    /// Applies filters to the text of a statement's body; the innermost filter has no object.
    static @Nullable Object filtered(Expression.Filter filter, String text, Scope scope) {
        Object object = filter.object() instanceof Expression.Filter inner ? filtered(inner, text, scope) : text;
        return filter(filter, object, scope);
    }

    @SuppressWarnings("ReferenceEquality") // one shared empty list
    static Arguments arguments(ArgumentList list, Scope scope) {
        if (list == ArgumentList.NONE) {
            return Arguments.NONE;
        }
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        for (int i = 0; i < list.names().size(); i++) {
            named.put(list.names().get(i), value(list.named().get(i), scope));
        }
        return new Arguments(values(list.positional(), scope), named);
    }

    private static @Nullable Object filter(Expression.Filter filter, @Nullable Object object, Scope scope) {
        return Filters.apply(object, filter.name(), arguments(filter.arguments(), scope));
    }

    private static @Nullable Object optional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : value(expression, scope);
    }

    private static List<@Nullable Object> values(List<Expression> expressions, Scope scope) {
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(value(expression, scope));
        }
        return values;
    }

    private static Map<@Nullable Object, @Nullable Object> mapping(Expression.Mapping mapping, Scope scope) {
        Map<@Nullable Object, @Nullable Object> values = new LinkedHashMap<>();
        for (int i = 0; i < mapping.keys().size(); i++) {
            Object key = value(mapping.keys().get(i), scope);
            Access.put(values, key, value(mapping.values().get(i), scope));
        }
        return values;
    }

    private static @Nullable Object call(Expression.Call call, Scope scope) {
        Object function = value(call.function(), scope);
        if (function instanceof Callable callable) {
            return callable.call(arguments(call.arguments(), scope));
        }
        if (function instanceof Undefined undefined) {
            throw undefined.used();
        }
        throw new JinjaException(Values.described(function) + " cannot be called");
    }

    private static @Nullable Object binary(Expression.Binary binary, Scope scope) {
        Object left = value(binary.left(), scope);
        return switch (binary.operator()) {
            case "and" -> Values.isTrue(left) ? value(binary.right(), scope) : left;
            case "or" -> Values.isTrue(left) ? left : value(binary.right(), scope);
            default -> Arithmetic.apply(binary.operator(), left, value(binary.right(), scope));
        };
    }

    private static boolean compares(Expression.Comparison comparison, Scope scope) {
        Object left = value(comparison.first(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.others().get(i), scope);
            boolean holds = switch (comparison.operators().get(i)) {
                case "==" -> Values.equal(left, right);
                case "!=" -> !Values.equal(left, right);
                case "in" -> Values.contains(right, left);
                case "not in" -> !Values.contains(right, left);
                case "<" -> Values.compare(left, right) < 0;
                case "<=" -> Values.compare(left, right) <= 0;
                case ">" -> Values.compare(left, right) > 0;
                default -> Values.compare(left, right) >= 0;
            };
            if (!holds) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private static @Nullable Object conditional(Expression.Conditional conditional, Scope scope) {
        if (Values.isTrue(value(conditional.condition(), scope))) {
            return value(conditional.then(), scope);
        }
        Expression otherwise = conditional.otherwise();
        return otherwise == null ? new Undefined("an if without else") : value(otherwise, scope);
    }
}
