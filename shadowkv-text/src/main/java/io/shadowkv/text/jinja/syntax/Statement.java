package io.shadowkv.text.jinja.syntax;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A statement of a template.
public sealed interface Statement {
    /// The line on which it begins.
    int line();

    record Text(int line, String text) implements Statement {}

    record Output(int line, Expression value) implements Statement {}

    /// `if` and `elif` in order, then `else`.
    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {}

    /// One `if` or `elif`.
    record Branch(Expression condition, List<Statement> body) {}

    /// @param filter the condition for items to include
    record For(
            int line,
            Target target,
            Expression items,
            @Nullable Expression filter,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Assign(int line, Target target, Expression value) implements Statement {}

    /// `{% set name | filters %} body {% endset %}`; the filter's innermost object is absent.
    record AssignBlock(int line, Target target, Expression.@Nullable Filter filter, List<Statement> body)
            implements Statement {}

    record Macro(int line, String name, Signature signature, List<Statement> body) implements Statement {}

    /// `{% call(parameters) macro(…) %} body {% endcall %}`.
    record CallBlock(int line, Signature signature, Expression.Call call, List<Statement> body) implements Statement {}

    record FilterBlock(int line, Expression.Filter filter, List<Statement> body) implements Statement {}

    /// `with` and `generation`: a body with its own variables.
    record Scoped(int line, List<Statement> assignments, List<Statement> body) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}

    /// The parameters of a macro; the last `defaults.size()` have defaults.
    record Signature(List<String> parameters, List<Expression> defaults) {}

    /// The target of an assignment.
    public sealed interface Target {
        record Variable(String name) implements Target {}

        record Field(String object, String name) implements Target {}

        record Several(List<Target> targets) implements Target {}
    }
}
