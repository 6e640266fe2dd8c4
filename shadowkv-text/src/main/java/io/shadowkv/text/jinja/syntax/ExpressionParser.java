package io.shadowkv.text.jinja.syntax;

import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.syntax.Expression.ArgumentList;
import io.shadowkv.text.jinja.syntax.Expression.Binary;
import io.shadowkv.text.jinja.syntax.Expression.Literal;
import io.shadowkv.text.jinja.syntax.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Parses expressions with Jinja's precedence: `if else`, `or`, `and`, `not`, comparisons, `+ -`,
/// `~`, `* / // %`, `**`, sign, then `.name [key] (arguments) |filter is test`.
final class ExpressionParser {
    /// More nesting than real templates have, but little enough for a thread's stack.
    private static final int DEEPEST = 150;

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> AFTER_TEST = Set.of("else", "or", "and", "is", "if", "in", "not");

    private final TokenStream tokens;
    private int depth;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /// Parses an expression; a comma makes it a tuple.
    Expression tuple() {
        Expression first = expression();
        if (!tokens.peek().is(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.take(",")) {
            Token next = tokens.peek();
            if (next.is(")") || next.kind() == Kind.BLOCK_END || next.kind() == Kind.OUTPUT_END) {
                break;
            }
            items.add(expression());
        }
        return new Expression.Sequence(List.copyOf(items), true);
    }

    Expression expression() {
        if (++depth > DEEPEST) {
            throw new JinjaException(tokens.peek().line(), "expressions are nested more than " + DEEPEST + " deep");
        }
        Expression value = or();
        while (tokens.takeName("if")) {
            Expression condition = or();
            Expression otherwise = tokens.takeName("else") ? expression() : null;
            value = new Expression.Conditional(condition, value, otherwise);
        }
        depth--;
        return value;
    }

    /// Parses an expression without `if else`, such as the items of a `for` (its `if` filters
    /// them).
    Expression or() {
        Expression left = and();
        while (tokens.takeName("or")) {
            left = new Binary("or", left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.takeName("and")) {
            left = new Binary("and", left, not());
        }
        return left;
    }

    private Expression not() {
        boolean isNegated = false;
        boolean isBoolean = false;
        while (tokens.peek().isName("not") && !tokens.second().isName("in")) {
            tokens.next();
            isNegated = !isNegated;
            isBoolean = true;
        }
        Expression operand = comparison();
        if (isBoolean && !isNegated) {
            operand = new Expression.Not(operand);
        }
        return isBoolean ? new Expression.Not(operand) : operand;
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
        for (String operator = comparisonOperator(); operator != null; operator = comparisonOperator()) {
            operators.add(operator);
            others.add(sum());
        }
        return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others);
    }

    private @Nullable String comparisonOperator() {
        Token token = tokens.peek();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return tokens.next().text();
        }
        if (tokens.takeName("in")) {
            return "in";
        }
        if (token.isName("not") && tokens.second().isName("in")) {
            tokens.next();
            tokens.next();
            return "not in";
        }
        return null;
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.peek().is("+") || tokens.peek().is("-")) {
            left = new Binary(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.take("~")) {
            left = new Binary("~", left, product());
        }
        return left;
    }

    private Expression product() {
        Expression left = power();
        while (tokens.peek().is("*")
                || tokens.peek().is("/")
                || tokens.peek().is("//")
                || tokens.peek().is("%")) {
            left = new Binary(tokens.next().text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = signed(true);
        while (tokens.take("**")) {
            left = new Binary("**", left, signed(true));
        }
        return left;
    }

    private Expression signed(boolean isFiltered) {
        Expression value;
        if (tokens.peek().is("-") || tokens.peek().is("+")) {
            boolean isNegative = tokens.next().is("-");
            if (++depth > DEEPEST) {
                throw new JinjaException(tokens.peek().line(), "signs are nested more than " + DEEPEST + " deep");
            }
            Expression operand = signed(false);
            depth--;
            value = isNegative ? new Expression.Negative(operand) : operand;
        } else {
            value = primary();
        }
        value = postfix(value);
        return isFiltered ? filters(value) : value;
    }

    private Expression primary() {
        Token token = tokens.peek();
        switch (token.kind()) {
            case NAME -> {
                return named(tokens.next());
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                return new Literal(text.toString());
            }
            case INTEGER -> {
                return new Literal(integer(tokens.next()));
            }
            case FLOAT -> {
                return new Literal(Double.parseDouble(tokens.next().text()));
            }
            default -> {
                return bracketed();
            }
        }
    }

    private static Expression named(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Literal(true);
            case "false", "False" -> new Literal(false);
            case "none", "None" -> new Literal(null);
            default -> new Expression.Name(token.text());
        };
    }

    private static long integer(Token token) {
        String text = token.text();
        int base = text.matches("0[xX].*") ? 16 : text.matches("0[bB].*") ? 2 : text.matches("0[oO].*") ? 8 : 10;
        try {
            return new BigInteger(base == 10 ? text : text.substring(2), base).longValueExact();
        } catch (ArithmeticException | NumberFormatException e) {
            throw new JinjaException(token.line(), "the number " + text + " does not fit 64 bits");
        }
    }

    private Expression bracketed() {
        if (tokens.take("(")) {
            if (tokens.take(")")) {
                return new Expression.Sequence(List.of(), true);
            }
            Expression inside = tuple();
            tokens.expect(")");
            return inside;
        }
        if (tokens.take("[")) {
            return new Expression.Sequence(listed("]"), false);
        }
        if (tokens.take("{")) {
            return mapping();
        }
        throw tokens.unexpected("an expression");
    }

    private List<Expression> listed(String closing) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.take(closing)) {
            if (!items.isEmpty()) {
                tokens.expect(",");
                if (tokens.take(closing)) {
                    break;
                }
            }
            items.add(expression());
        }
        return List.copyOf(items);
    }

    private Expression mapping() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.take("}")) {
            if (!keys.isEmpty()) {
                tokens.expect(",");
                if (tokens.take("}")) {
                    break;
                }
            }
            keys.add(expression());
            tokens.expect(":");
            values.add(expression());
        }
        return new Expression.Mapping(List.copyOf(keys), List.copyOf(values));
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.take(".")) {
                Token name = tokens.next();
                if (name.kind() == Kind.INTEGER) {
                    value = new Expression.Item(value, new Literal(integer(name)));
                } else if (name.kind() == Kind.NAME) {
                    value = new Expression.Attribute(value, name.text());
                } else {
                    throw new JinjaException(name.line(), "found " + name.described() + " behind a dot");
                }
            } else if (tokens.take("[")) {
                value = subscript(value);
            } else if (tokens.peek().is("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression object) {
        @Nullable Expression[] parts = new @Nullable Expression[3];
        int count = 0;
        while (true) {
            if (!tokens.peek().is(":") && !tokens.peek().is("]")) {
                parts[count] = expression();
            }
            if (count == 2 || !tokens.take(":")) {
                break;
            }
            count++;
        }
        tokens.expect("]");
        Expression first = parts[0];
        if (count > 0) {
            return new Expression.Slice(object, first, parts[1], parts[2]);
        }
        if (first == null) {
            throw tokens.unexpected("a key inside []");
        }
        return new Expression.Item(object, first);
    }

    private Expression filters(Expression start) {
        Expression value = start;
        while (true) {
            if (tokens.take("|")) {
                value = filter(value);
            } else if (tokens.takeName("is")) {
                value = test(value);
            } else if (tokens.peek().is("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /// Parses a filter after its bar.
    Expression.Filter filter(@Nullable Expression object) {
        String name = dotted();
        return new Expression.Filter(object, name, tokens.peek().is("(") ? arguments() : ArgumentList.NONE);
    }

    private Expression test(Expression object) {
        boolean isNegated = tokens.takeName("not");
        String name = dotted();
        Token next = tokens.peek();
        ArgumentList arguments = ArgumentList.NONE;
        if (next.is("(")) {
            arguments = arguments();
        } else if (beginsArgument(next)) {
            arguments = new ArgumentList(List.of(postfix(primary())), List.of(), List.of());
        }
        Expression test = new Expression.Test(object, name, arguments);
        return isNegated ? new Expression.Not(test) : test;
    }

    private static boolean beginsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !AFTER_TEST.contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            default -> token.is("[") || token.is("{");
        };
    }

    private String dotted() {
        StringBuilder name = new StringBuilder(tokens.name());
        while (tokens.take(".")) {
            name.append('.').append(tokens.name());
        }
        return name.toString();
    }

    private ArgumentList arguments() {
        tokens.expect("(");
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        while (!tokens.take(")")) {
            if (positional.size() + named.size() > 0) {
                tokens.expect(",");
                if (tokens.take(")")) {
                    break;
                }
            }
            if (tokens.peek().kind() == Kind.NAME && tokens.second().is("=")) {
                names.add(tokens.name());
                tokens.expect("=");
                named.add(expression());
            } else if (!names.isEmpty()) {
                throw tokens.unexpected("a named argument after the others");
            } else {
                positional.add(expression());
            }
        }
        return new ArgumentList(List.copyOf(positional), List.copyOf(names), List.copyOf(named));
    }
}
