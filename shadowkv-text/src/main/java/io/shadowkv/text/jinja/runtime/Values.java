package io.shadowkv.text.jinja.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Python's rules for values: null (None), [Boolean], [Long], [Double], [String], [List], [Map],
/// [Undefined], [Namespace], [Callable]. Other numbers are converted to the nearest of these.
public final class Values {
    /// A longer text means that the template is faulty (64 Mi characters).
    private static final int LONGEST_TEXT = 1 << 26;

    private static final int DEEPEST = 100;

    private Values() {}

    public static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case Number number -> number.doubleValue() != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Undefined undefined -> false;
            default -> true;
        };
    }

    /// A number as Long or Double, a boolean as 0 or 1, anything else as null.
    public static @Nullable Number number(@Nullable Object value) {
        return switch (value) {
            case Boolean flag -> Long.valueOf(flag ? 1 : 0);
            case Long number -> number;
            case Integer number -> number.longValue();
            case Short number -> number.longValue();
            case Byte number -> number.longValue();
            case BigInteger number -> number.bitLength() < 64 ? (Number) number.longValue() : number.doubleValue();
            case Float number -> Double.parseDouble(number.toString());
            case Number number -> number.doubleValue();
            case null, default -> null;
        };
    }

    /// The output of `{{ value }}`: text as it is, None for none, and an empty string for an
    /// undefined value.
    public static String text(@Nullable Object value) {
        return switch (value) {
            case String text -> text;
            case Undefined undefined -> "";
            case null, default -> shown(value, 0);
        };
    }

    private static String shown(@Nullable Object value, int depth) {
        if (depth > DEEPEST) {
            throw new JinjaException("a value is nested more than " + DEEPEST + " deep");
        }
        return switch (value) {
            case null -> "None";
            case Boolean flag -> flag ? "True" : "False";
            case BigInteger number -> number.toString();
            case Double number -> Strings.number(number);
            case Float number -> Strings.number(Double.parseDouble(number.toString()));
            case BigDecimal number -> Strings.number(number.doubleValue());
            case String text -> Strings.quoted(text);
            case List<?> list -> {
                boolean isTuple = list instanceof Tuple;
                StringBuilder text = new StringBuilder(isTuple ? "(" : "[");
                list.forEach(item -> text.append(text.length() > 1 ? ", " : "").append(shown(item, depth + 1)));
                yield text.append(isTuple ? list.size() == 1 ? ",)" : ")" : "]").toString();
            }
            case Map<?, ?> map -> {
                StringBuilder text = new StringBuilder("{");
                map.forEach((key, item) -> text.append(text.length() > 1 ? ", " : "")
                        .append(shown(key, depth + 1))
                        .append(": ")
                        .append(shown(item, depth + 1)));
                yield text.append('}').toString();
            }
            case Undefined undefined -> "Undefined";
            case Namespace namespace -> "<Namespace " + shown(namespace.fields(), depth + 1) + ">";
            case Callable callable -> "<function>";
            default -> value.toString();
        };
    }

    /// Describes a value in messages: its type, and the value if it is short.
    public static String described(@Nullable Object value) {
        return switch (value) {
            case null -> "none";
            case String text when text.length() <= 40 -> "the string '" + text + "'";
            case String text -> "a string of " + text.length() + " characters";
            case List<?> list -> "a list of " + list.size();
            case Map<?, ?> map -> "a mapping of " + map.size();
            case Undefined undefined -> undefined.what() + " (undefined)";
            case Namespace namespace -> "a namespace";
            case Callable callable -> "a function";
            default -> text(value);
        };
    }

    public static boolean equal(@Nullable Object left, @Nullable Object right) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber != null && rightNumber != null) {
            boolean isExact = leftNumber instanceof Long && rightNumber instanceof Long;
            return isExact ? leftNumber.equals(rightNumber) : leftNumber.doubleValue() == rightNumber.doubleValue();
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            boolean isSame = a.size() == b.size() && a instanceof Tuple == b instanceof Tuple;
            for (int i = 0; isSame && i < a.size(); i++) {
                isSame = equal(a.get(i), b.get(i));
            }
            return isSame;
        }
        if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
            return a.size() == b.size()
                    && a.entrySet().stream()
                            .allMatch(entry -> Access.has(b, entry.getKey())
                                    && equal(entry.getValue(), Access.get(b, entry.getKey())));
        }
        return left instanceof Undefined && right instanceof Undefined || Objects.equals(left, right);
    }

    /// Below 0, 0 or above 0 in Python's order of numbers, strings and lists.
    public static int compare(@Nullable Object left, @Nullable Object right) {
        Number leftNumber = number(left);
        Number rightNumber = number(right);
        if (leftNumber instanceof Long a && rightNumber instanceof Long b) {
            return Long.compare(a, b);
        }
        if (leftNumber != null && rightNumber != null) {
            return Double.compare(leftNumber.doubleValue(), rightNumber.doubleValue());
        }
        if (left instanceof String a && right instanceof String b) {
            int same = 0;
            while (same < a.length() && same < b.length() && a.charAt(same) == b.charAt(same)) {
                same++;
            }
            boolean isPrefix = same == a.length() || same == b.length();
            return isPrefix ? a.length() - b.length() : Integer.compare(order(a.charAt(same)), order(b.charAt(same)));
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                if (!equal(a.get(i), b.get(i))) {
                    return compare(a.get(i), b.get(i));
                }
            }
            return Integer.compare(a.size(), b.size());
        }
        throw new JinjaException(described(left) + " and " + described(right) + " cannot be compared");
    }

    /// Orders UTF-16 by code point: surrogates represent characters above all others.
    private static int order(char character) {
        return Character.isSurrogate(character) ? character + 0x10000 : character;
    }

    /// An object whose `equals` is Python's `==` for this value.
    ///
    /// @throws JinjaException if Python cannot hash the value
    public static Object hashable(@Nullable Object value) {
        Number number = number(value);
        if (number != null) {
            double real = number.doubleValue();
            boolean isWhole = number instanceof Double && real == Math.rint(real) && Math.abs(real) < 0x1p63;
            return isWhole ? (Object) (long) real : number;
        }
        return switch (value) {
            case Tuple tuple -> tuple.stream().map(Values::hashable).toList();
            case List<?> list -> throw new JinjaException(described(list) + " cannot be compared by its hash");
            case Map<?, ?> map -> throw new JinjaException(described(map) + " cannot be compared by its hash");
            case null -> Optional.empty();
            case Undefined undefined -> Undefined.class;
            default -> value;
        };
    }

    public static boolean contains(@Nullable Object container, @Nullable Object item) {
        return switch (container) {
            case String text when item instanceof String part -> text.contains(part);
            case String text -> throw new JinjaException(described(item) + " cannot be in a string; only a string can");
            case Map<?, ?> map -> Access.has(map, item);
            case List<?> list -> list.stream().anyMatch(element -> equal(element, item));
            case Undefined undefined -> false;
            case null, default -> throw new JinjaException("nothing can be in " + described(container));
        };
    }

    /// The values of a `for`: items, keys or characters; empty for an undefined value.
    public static List<@Nullable Object> items(@Nullable Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text ->
                new ArrayList<>(text.codePoints().mapToObj(Character::toString).toList());
            case Undefined undefined -> new ArrayList<>();
            case null, default -> throw new JinjaException(described(value) + " cannot be iterated over");
        };
    }

    /// Refuses text of a length that only a faulty template produces.
    public static void checkLength(long length) {
        if (length > LONGEST_TEXT) {
            throw new JinjaException(
                    "a text of " + length + " characters is more than " + LONGEST_TEXT + "; the template may not end");
        }
    }
}
