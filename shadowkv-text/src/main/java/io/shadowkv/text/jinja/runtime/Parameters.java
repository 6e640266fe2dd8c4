package io.shadowkv.text.jinja.runtime;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The parameters of a filter, test, function or method. Arguments that do not match are refused,
/// because ignoring an argument would change the prompt.
///
/// @param name of the function, for messages
/// @param names of the parameters in order
/// @param required number of required parameters
/// @param unnamed number of parameters that can be given by position only
/// @param isOpen whether additional arguments, including named ones, are allowed
public record Parameters(String name, List<String> names, int required, int unnamed, boolean isOpen) {
    private static final Pattern LINE = Pattern.compile("(\\S+)\\((.*)\\)");

    /// Parses lines in Python's notation: `split(sep=, maxsplit=)`, where `=` marks an optional
    /// parameter, `/` ends the positional-only parameters, and a `*` at the end allows additional
    /// arguments.
    public static Map<String, Parameters> table(String lines) {
        Map<String, Parameters> table = new HashMap<>();
        lines.lines().forEach(line -> {
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw new IllegalArgumentException("\"" + line + "\" is not a name and its arguments in parentheses");
            }
            for (String name : parts.group(1).split("\\|")) {
                table.put(name, of(name, parts.group(2)));
            }
        });
        return Map.copyOf(table);
    }

    private static Parameters of(String name, String list) {
        List<String> words =
                Stream.of(list.split(", ")).filter(word -> !word.isEmpty()).toList();
        List<String> arguments = words.stream()
                .filter(word -> !word.equals("/") && !word.equals("*"))
                .toList();
        int required =
                (int) arguments.stream().filter(word -> !word.endsWith("=")).count();
        return new Parameters(
                name,
                arguments.stream().map(word -> word.replace("=", "")).toList(),
                required,
                Math.max(0, words.indexOf("/")),
                words.contains("*"));
    }

    /// @throws JinjaException if an argument is missing, given twice, or unknown
    public void check(Arguments arguments) {
        int places = arguments.positional().size();
        if (places > names.size() && !isOpen) {
            throw new JinjaException(name + " takes " + (names.isEmpty() ? "no arguments" : "the arguments " + names)
                    + ", but got " + places);
        }
        for (String given : arguments.named().keySet()) {
            int place = names.indexOf(given);
            if (place >= 0 && place < places && place >= unnamed) {
                throw new JinjaException("the argument " + given + " of " + name + " is given twice");
            }
            if (place < unnamed && !isOpen) {
                throw new JinjaException(name + " has no argument named \"" + given + "\"; it takes "
                        + (names.isEmpty()
                                ? "none"
                                : names + (unnamed > 0 ? ", " + unnamed + " by position only" : "")));
            }
        }
        for (int place = places; place < required; place++) {
            if (place < unnamed || !arguments.named().containsKey(names.get(place))) {
                throw new JinjaException(
                        "the argument " + (place + 1) + " (" + names.get(place) + ") of " + name + " is missing");
            }
        }
    }

    /// The function with a check of its arguments before each call.
    public Callable checked(Callable function) {
        return arguments -> {
            check(arguments);
            return function.call(arguments);
        };
    }
}
