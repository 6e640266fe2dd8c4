package io.shadowkv.text.jinja;

import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Namespace;
import io.shadowkv.text.jinja.runtime.Undefined;
import io.shadowkv.text.jinja.runtime.Values;
import io.shadowkv.text.jinja.syntax.Expression;
import io.shadowkv.text.jinja.syntax.Statement;
import io.shadowkv.text.jinja.syntax.Statement.Target;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Runs a template's statements once, with limits on steps, nesting and length. Confined to one
/// thread.
final class Renderer {
    /// Statements and loop iterations per rendering; the longest conversations need about ten
    /// thousand.
    private static final int MOST_STEPS = 5_000_000;

    /// Nested macro calls; each takes about a dozen frames of the thread's stack.
    private static final int DEEPEST_CALL = 100;

    /// How a body ended.
    private enum Exit {
        END,
        BREAK,
        CONTINUE
    }

    private int steps;
    private int calls;
    private int line = 1;

    /// @throws JinjaException with the line
    String render(List<Statement> statements, Scope scope) {
        StringBuilder text = new StringBuilder();
        try {
            run(statements, scope, text);
        } catch (JinjaException e) {
            throw new JinjaException(line, e);
        } catch (ArithmeticException e) {
            throw new JinjaException(line, "a number does not fit 64 bits");
        } catch (StackOverflowError e) {
            // Only objects of this rendering may be half-changed, so it is safe to continue.
            throw new JinjaException(line, "an expression is nested too deep");
        }
        return text.toString();
    }

    private Exit run(List<Statement> statements, Scope scope, StringBuilder text) {
        for (Statement statement : statements) {
            step(statement.line());
            Exit exit = run(statement, scope, text);
            if (exit != Exit.END) {
                return exit;
            }
        }
        return Exit.END;
    }

    private void step(int at) {
        line = at;
        if (++steps > MOST_STEPS) {
            throw new JinjaException("the template takes more than " + MOST_STEPS + " steps; it may not end");
        }
    }

    private Exit run(Statement statement, Scope scope, StringBuilder text) {
        switch (statement) {
            case Statement.Text plain -> append(text, plain.text());
            case Statement.Output output -> append(text, Values.text(Evaluator.value(output.value(), scope)));
            case Statement.If choice -> {
                return run(chosen(choice, scope), scope, text);
            }
            case Statement.For loop -> {
                return loop(loop, scope, text);
            }
            case Statement.Assign assign -> assign(assign.target(), Evaluator.value(assign.value(), scope), scope);
            case Statement.AssignBlock block -> {
                String body = body(block.body(), new Scope(scope));
                Expression.Filter filter = block.filter();
                assign(block.target(), filter == null ? body : Evaluator.filtered(filter, body, scope), scope);
            }
            case Statement.Macro macro ->
                scope.set(macro.name(), macro(macro.name(), macro.signature(), macro.body(), scope));
            case Statement.CallBlock block -> append(text, Values.text(callBlock(block, scope)));
            case Statement.FilterBlock block ->
                append(
                        text,
                        Values.text(Evaluator.filtered(block.filter(), body(block.body(), new Scope(scope)), scope)));
            case Statement.Scoped scoped -> {
                Scope inner = new Scope(scope);
                run(scoped.assignments(), inner, text);
                return run(scoped.body(), inner, text);
            }
            case Statement.Break ignored -> {
                return Exit.BREAK;
            }
            case Statement.Continue ignored -> {
                return Exit.CONTINUE;
            }
        }
        return Exit.END;
    }

    private static List<Statement> chosen(Statement.If choice, Scope scope) {
        for (Statement.Branch branch : choice.branches()) {
            if (Values.isTrue(Evaluator.value(branch.condition(), scope))) {
                return branch.body();
            }
        }
        return choice.otherwise();
    }

    private static void append(StringBuilder text, String piece) {
        text.append(piece);
        Values.checkLength(text.length());
    }

    private String body(List<Statement> statements, Scope scope) {
        StringBuilder text = new StringBuilder();
        run(statements, scope, text);
        return text.toString();
    }

    private Exit loop(Statement.For loop, Scope scope, StringBuilder text) {
        List<@Nullable Object> items = Values.items(Evaluator.value(loop.items(), scope));
        Expression filter = loop.filter();
        if (filter != null) {
            items.removeIf(item -> {
                step(loop.line());
                Scope tried = new Scope(scope);
                assign(loop.target(), item, tried);
                return !Values.isTrue(Evaluator.value(filter, tried));
            });
        }
        if (items.isEmpty()) {
            return run(loop.otherwise(), scope, text);
        }
        Loop state = new Loop(items);
        for (int i = 0; i < items.size(); i++) {
            step(loop.line());
            state.proceed(i);
            Scope pass = new Scope(scope);
            pass.set("loop", state);
            assign(loop.target(), items.get(i), pass);
            if (run(loop.body(), pass, text) == Exit.BREAK) {
                break;
            }
        }
        return Exit.END;
    }

    private void assign(Target target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Target.Variable variable -> scope.set(variable.name(), value);
            case Target.Field field -> {
                if (!(scope.value(field.object()) instanceof Namespace namespace)) {
                    throw new JinjaException("\"" + field.object() + "\" is "
                            + Values.described(scope.value(field.object()))
                            + "; only a field of a namespace can be set");
                }
                namespace.fields().put(field.name(), value);
            }
            case Target.Several several -> {
                List<@Nullable Object> items = Values.items(value);
                if (items.size() != several.targets().size()) {
                    throw new JinjaException(Values.described(value) + " has " + items.size() + " items for "
                            + several.targets().size() + " names");
                }
                for (int i = 0; i < items.size(); i++) {
                    assign(several.targets().get(i), items.get(i), scope);
                }
            }
        }
    }

    private Callable macro(String name, Statement.Signature signature, List<Statement> body, Scope definition) {
        return arguments -> {
            Scope scope = new Scope(definition);
            bind(name, signature, arguments, scope);
            int caller = line;
            if (++calls > DEEPEST_CALL) {
                throw new JinjaException("macros call each other more than " + DEEPEST_CALL + " deep");
            }
            String text = body(body, scope);
            calls--;
            line = caller;
            return text;
        };
    }

    private static void bind(String name, Statement.Signature signature, Arguments arguments, Scope scope) {
        List<String> parameters = signature.parameters();
        if (arguments.positional().size() > parameters.size()) {
            throw new JinjaException("the macro " + name + " takes " + parameters.size() + " arguments, but got "
                    + arguments.positional().size());
        }
        for (String given : arguments.named().keySet()) {
            if (!parameters.contains(given) && !given.equals("caller")) {
                throw new JinjaException(
                        "the macro " + name + " has no parameter \"" + given + "\"; it has " + parameters);
            }
        }
        int firstDefault = parameters.size() - signature.defaults().size();
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            Object absent = new Undefined("the parameter \"" + parameter + "\"");
            boolean isDefault = i >= firstDefault && !arguments.isGiven(i, parameter);
            scope.set(
                    parameter,
                    isDefault
                            ? Evaluator.value(signature.defaults().get(i - firstDefault), scope)
                            : arguments.value(i, parameter, absent));
        }
        scope.set("caller", arguments.named().getOrDefault("caller", new Undefined("\"caller\"")));
    }

    private @Nullable Object callBlock(Statement.CallBlock block, Scope scope) {
        if (!(Evaluator.value(block.call().function(), scope) instanceof Callable function)) {
            throw new JinjaException("the call statement does not call a macro");
        }
        Arguments arguments = Evaluator.arguments(block.call().arguments(), scope);
        var named = new LinkedHashMap<>(arguments.named());
        named.put("caller", macro("caller", block.signature(), block.body(), scope));
        return function.call(new Arguments(arguments.positional(), named));
    }
}
