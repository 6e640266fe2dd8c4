package io.shadowkv.text.jinja.runtime;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What a filter, test, function or method can be given. Arguments that do not fit are refused, because an
/// argument that is ignored makes another prompt.
///
/// @param name of the function, for messages
/// @param names of the arguments in order
/// @param required how many of them must be given
/// @param unnamed how many of them can be given by place only
/// @param isOpen whether more arguments, also named ones, can be given
public record Parameters(String name, List<String> names, int required, int unnamed, boolean isOpen) {
    private static final Pattern LINE = Pattern.compile("(\\S+)\\((.*)\\)");

    /// Reads lines in Python's notation: `split(sep=, maxsplit=)`, where `=` means that an argument may be left
    /// out, a `/` ends those that have no name, and a `*` at the end lets any others in.
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

    /// @throws JinjaException if an argument is missing, given twice, or not one of these
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
                        + (names.isEmpty() ? "none" : names + (unnamed > 0 ? ", " + unnamed + " by place only" : "")));
            }
        }
        for (int place = places; place < required; place++) {
            if (place < unnamed || !arguments.named().containsKey(names.get(place))) {
                throw new JinjaException(
                        "the argument " + (place + 1) + " (" + names.get(place) + ") of " + name + " is missing");
            }
        }
    }

    /// The function with its arguments checked before each call.
    public Callable checked(Callable function) {
        return arguments -> {
            check(arguments);
            return function.call(arguments);
        };
    }
}
