package io.shadowkv.text.jinja;

import io.shadowkv.text.jinja.builtin.Filters;
import io.shadowkv.text.jinja.builtin.TimeFormat;
import io.shadowkv.text.jinja.runtime.Arguments;
import io.shadowkv.text.jinja.runtime.Callable;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.Namespace;
import io.shadowkv.text.jinja.runtime.Parameters;
import io.shadowkv.text.jinja.runtime.RaisedException;
import io.shadowkv.text.jinja.runtime.Values;
import io.shadowkv.text.jinja.syntax.Parser;
import io.shadowkv.text.jinja.syntax.Statement;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A parsed template, with the settings that Hugging Face uses for chat templates. Immutable and
/// thread-safe.
///
/// `trim_blocks` and `lstrip_blocks` are on, nothing is escaped, an undefined value prints as an
/// empty string, lists and mappings cannot be changed, and `break`, `continue` and `generation`
/// exist. Functions: `range`, `dict`, `namespace`, `raise_exception`, `strftime_now`.
public final class Template {
    private static final int LONGEST_RANGE = 1 << 20;

    private static final Map<String, Parameters> FUNCTIONS = Parameters.table("""
            range(start, stop=, step=, /)
            dict|namespace(*)
            raise_exception(message)
            strftime_now(format)""");

    private final List<Statement> statements;

    private Template(List<Statement> statements) {
        this.statements = statements;
    }

    /// @throws JinjaException with the line and the unexpected text
    public static Template of(String source) {
        return new Template(Parser.parse(source));
    }

    /// Renders the template.
    ///
    /// @param variables null, booleans, numbers, strings, lists, maps with string keys, [Callable]s
    /// @param now the time for `strftime_now`
    /// @throws RaisedException if the template calls `raise_exception`
    /// @throws JinjaException with the line, if an operation fails or a limit is exceeded
    public String render(Map<String, ? extends @Nullable Object> variables, ZonedDateTime now) {
        Scope functions = new Scope(null);
        setFunction(functions, "range", Template::range);
        setFunction(functions, "dict", Filters::mapping);
        setFunction(functions, "namespace", Template::namespace);
        setFunction(functions, "raise_exception", arguments -> {
            throw new RaisedException(Values.text(arguments.required(0, "message")));
        });
        setFunction(functions, "strftime_now", arguments -> TimeFormat.text(arguments.text(0, "format"), now));
        Scope scope = new Scope(functions);
        variables.forEach(scope::set);
        return new Renderer().render(statements, scope);
    }

    private static void setFunction(Scope scope, String name, Callable function) {
        scope.set(name, Objects.requireNonNull(FUNCTIONS.get(name)).checked(function));
    }

    private static Object namespace(Arguments arguments) {
        Namespace namespace = new Namespace();
        Filters.mapping(arguments).forEach((name, value) -> namespace.fields().put(Values.text(name), value));
        return namespace;
    }

    private static Object range(Arguments arguments) {
        boolean isOne = arguments.positional().size() == 1;
        long start = isOne ? 0 : arguments.integer(0, "start", 0);
        long stop = arguments.integer(isOne ? 0 : 1, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new JinjaException("range: the step is 0");
        }
        List<@Nullable Object> numbers = new ArrayList<>();
        for (long number = start; step > 0 ? number < stop : number > stop; number = Math.addExact(number, step)) {
            if (numbers.size() == LONGEST_RANGE) {
                throw new JinjaException(
                        "range(" + start + ", " + stop + ", " + step + ") has more than " + LONGEST_RANGE + " numbers");
            }
            numbers.add(number);
        }
        return numbers;
    }
}
