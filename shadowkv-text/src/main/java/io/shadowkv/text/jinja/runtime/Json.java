package io.shadowkv.text.jinja.runtime;

import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Writes JSON exactly like Python's `json.dumps`, which Hugging Face uses for `tojson`; every
/// blank changes the prompt.
public final class Json {
    private static final int DEEPEST = 100;

    private final String itemSeparator;
    private final String keySeparator;
    private final @Nullable String indent;
    private final boolean isAscii;
    private final boolean isSorted;
    private final StringBuilder text = new StringBuilder();

    private Json(Arguments arguments) {
        this.isAscii = arguments.flag(0, "ensure_ascii", false);
        Object indentation = arguments.value(1, "indent", null);
        this.indent = indentation == null
                ? null
                : indentation instanceof String blanks
                        ? blanks
                        : " ".repeat(Math.clamp(arguments.integer(1, "indent", 0), 0, 100));
        if (arguments.value(2, "separators", null) instanceof List<?> pair && pair.size() == 2) {
            this.itemSeparator = Values.text(pair.get(0));
            this.keySeparator = Values.text(pair.get(1));
        } else {
            this.itemSeparator = indent == null ? ", " : ",";
            this.keySeparator = ": ";
        }
        this.isSorted = arguments.flag(3, "sort_keys", false);
    }

    /// @param arguments `ensure_ascii=False, indent=None, separators=None, sort_keys=False`
    public static String text(@Nullable Object value, Arguments arguments) {
        Json json = new Json(arguments);
        json.write(value, 0);
        return json.text.toString();
    }

    private void write(@Nullable Object value, int depth) {
        if (depth > DEEPEST) {
            throw new JinjaException("a value is nested more than " + DEEPEST + " deep");
        }
        switch (value) {
            case null -> text.append("null");
            case Boolean flag -> text.append(flag ? "true" : "false");
            case Number number -> text.append(number(number));
            case String string -> quote(string);
            case List<?> list -> {
                Iterator<?> items = list.iterator();
                text.append('[');
                while (items.hasNext()) {
                    newLine(depth + 1);
                    write(items.next(), depth + 1);
                    text.append(items.hasNext() ? itemSeparator : "");
                }
                close(list.isEmpty(), depth, ']');
            }
            case Map<?, ?> map -> writeMap(map, depth);
            default -> throw new JinjaException(Values.described(value) + " cannot be written as JSON");
        }
    }

    private void writeMap(Map<?, ?> map, int depth) {
        Iterator<? extends Map.Entry<?, ?>> entries =
                (isSorted ? new TreeMap<>(map) : map).entrySet().iterator();
        text.append('{');
        while (entries.hasNext()) {
            Map.Entry<?, ?> entry = entries.next();
            newLine(depth + 1);
            Object key = entry.getKey();
            boolean isPlain = key == null || key instanceof Boolean;
            quote(isPlain ? String.valueOf(key) : Values.text(key));
            text.append(keySeparator);
            write(entry.getValue(), depth + 1);
            text.append(entries.hasNext() ? itemSeparator : "");
        }
        close(map.isEmpty(), depth, '}');
    }

    private void close(boolean isEmpty, int depth, char bracket) {
        if (!isEmpty) {
            newLine(depth);
        }
        text.append(bracket);
    }

    private void newLine(int depth) {
        if (indent != null) {
            text.append('\n').append(indent.repeat(depth));
        }
    }

    private static String number(Number number) {
        String shown = Values.text(number);
        return switch (shown) {
            case "nan" -> "NaN";
            case "inf" -> "Infinity";
            case "-inf" -> "-Infinity";
            default -> shown;
        };
    }

    private void quote(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char character = string.charAt(i);
            int escape = "\"\\\n\r\t\f\b".indexOf(character);
            if (escape >= 0) {
                text.append('\\').append("\"\\nrtfb".charAt(escape));
            } else if (character < ' ' || isAscii && character > '~' && character != Strings.MARK) {
                text.append(String.format(Locale.ROOT, "\\u%04x", (int) character));
            } else {
                text.append(character);
            }
        }
        text.append('"');
        Values.checkLength(text.length());
    }
}
