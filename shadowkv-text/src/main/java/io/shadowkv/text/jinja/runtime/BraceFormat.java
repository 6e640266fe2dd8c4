package io.shadowkv.text.jinja.runtime;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Python's `'{} and {name}'.format(…)`: processes its arguments once.
final class BraceFormat {
    /// A field inside its braces: `value.steps!conversion:specification`.
    private static final Pattern FIELD =
            Pattern.compile("([^.\\[!:]*)((?:\\.[^.\\[!:]+|\\[[^]]+])*)(?:!(.))?(?::(.*))?", Pattern.DOTALL);

    private static final Pattern STEP = Pattern.compile("\\.([^.\\[]+)|\\[([^]]+)]");

    private final Arguments arguments;
    private int used;
    private boolean isCounted;
    private boolean isNumbered;

    private BraceFormat(Arguments arguments) {
        this.arguments = arguments;
    }

    /// @throws JinjaException if arguments and format do not match
    static String text(String format, Arguments arguments) {
        return new BraceFormat(arguments).formatted(format, 2);
    }

    /// @param depth remaining nesting of fields in specifications
    String formatted(String format, int depth) {
        StringBuilder formatted = new StringBuilder();
        int at = 0;
        while (at < format.length()) {
            char character = format.charAt(at++);
            boolean isDoubled = at < format.length() && format.charAt(at) == character;
            if (character != '{' && character != '}') {
                formatted.append(character);
            } else if (isDoubled) {
                formatted.append(character);
                at++;
            } else {
                int end = character == '{' ? closing(format, at) : -1;
                if (end < 0 || depth == 0) {
                    throw new JinjaException("the format '" + format + "' has a single " + character);
                }
                formatted.append(field(format.substring(at, end), depth));
                at = end + 1;
            }
            Values.checkLength(formatted.length());
        }
        return formatted.toString();
    }

    private static int closing(String format, int from) {
        int open = 1;
        for (int at = from; at < format.length(); at++) {
            open += format.charAt(at) == '{' ? 1 : format.charAt(at) == '}' ? -1 : 0;
            if (open == 0) {
                return at;
            }
        }
        return -1;
    }

    private String field(String inside, int depth) {
        Matcher parts = FIELD.matcher(inside);
        if (!parts.matches()) {
            throw new JinjaException("the field {" + inside + "} cannot be read");
        }
        Object value = first(parts.group(1));
        Matcher steps = STEP.matcher(parts.group(2));
        while (steps.find()) {
            String key = steps.group(2);
            value = key == null
                    ? Access.attribute(value, steps.group(1))
                    : Access.item(value, key.matches("\\d{1,9}") ? (Object) Long.valueOf(key) : key);
        }
        String conversion = parts.group(3);
        if (conversion != null) {
            value = switch (conversion) {
                case "s" -> Values.text(value);
                case "r" -> value instanceof String text ? Strings.quoted(text) : Values.text(value);
                default -> throw new JinjaException("the conversion !" + conversion + " is not known here");
            };
        }
        String spec = parts.group(4) == null ? "" : formatted(parts.group(4), depth - 1);
        return spec.isEmpty() ? Values.text(value) : FormatSpec.of(spec).format(value);
    }

    private @Nullable Object first(String name) {
        boolean isNumber = name.matches("\\d{1,9}");
        if (!name.isEmpty() && !isNumber) {
            if (!arguments.named().containsKey(name)) {
                throw new JinjaException("format: there is no argument \"" + name + "\"");
            }
            return arguments.named().get(name);
        }
        isNumbered |= isNumber;
        isCounted |= !isNumber;
        if (isNumbered && isCounted) {
            throw new JinjaException("format: {} and {0} cannot be combined in one string");
        }
        int place = isNumber ? Integer.parseInt(name) : used++;
        if (place >= arguments.positional().size()) {
            throw new JinjaException("format: there is no argument " + place + " among "
                    + arguments.positional().size());
        }
        return arguments.positional().get(place);
    }
}
