package io.shadowkv.text.jinja.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Python's operators on values.
public final class Arithmetic {
    /// A longer list means that the template is faulty.
    private static final int LONGEST_LIST = 1 << 20;

    private Arithmetic() {}

    public static @Nullable Object apply(String operator, @Nullable Object left, @Nullable Object right) {
        if (operator.equals("~")) {
            return joined(Values.text(left), Values.text(right));
        }
        if (left instanceof String text && operator.equals("%")) {
            return PercentFormat.text(text, right);
        }
        if (left instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (left instanceof String text) {
            return onText(operator, text, right);
        }
        if (operator.equals("+") && left instanceof List<?> a && right instanceof List<?> b) {
            checkSize(a.size() + (long) b.size());
            List<@Nullable Object> both = new ArrayList<>(a);
            both.addAll(b);
            return a instanceof Tuple ? new Tuple(both) : both;
        }
        if (operator.equals("*") && right instanceof String text) {
            return onText(operator, text, left);
        }
        if (operator.equals("*") && left instanceof List<?> list && Values.number(right) instanceof Long times) {
            checkSize(list.size() * Math.max(0, times));
            List<@Nullable Object> repeated = new ArrayList<>();
            for (long i = 0; i < times; i++) {
                repeated.addAll(list);
            }
            return list instanceof Tuple ? new Tuple(repeated) : repeated;
        }
        Number a = Values.number(left);
        Number b = Values.number(right);
        if (a == null || b == null) {
            throw unfit(operator, left, right);
        }
        return onNumbers(operator, a, b);
    }

    public static Object negative(@Nullable Object value) {
        Number number = Values.number(value);
        if (number == null) {
            throw new JinjaException(Values.described(value) + " cannot be negated");
        }
        return number instanceof Long integer ? (Object) Math.negateExact(integer) : (Object) (-number.doubleValue());
    }

    static String joined(String left, String right) {
        Values.checkLength(left.length() + (long) right.length());
        return left + right;
    }

    public static void checkSize(long size) {
        if (size > LONGEST_LIST) {
            throw new JinjaException(
                    "a list of " + size + " items is more than " + LONGEST_LIST + "; the template may not end");
        }
    }

    private static String onText(String operator, String text, @Nullable Object right) {
        if (operator.equals("+") && right instanceof String other) {
            return joined(text, other);
        }
        if (operator.equals("*") && Values.number(right) instanceof Long times) {
            Values.checkLength(Math.multiplyExact(text.length(), Math.clamp(times, 0, Integer.MAX_VALUE)));
            return text.repeat(Math.toIntExact(Math.max(0, times)));
        }
        throw unfit(operator, text, right);
    }

    private static Object onNumbers(String operator, Number left, Number right) {
        boolean isDivision = operator.equals("/") || operator.equals("//") || operator.equals("%");
        if (isDivision && right.doubleValue() == 0) {
            throw new JinjaException("division of " + Values.text(left) + " by zero");
        }
        try {
            if (left instanceof Long a && right instanceof Long b) {
                return onIntegers(operator, a, b);
            }
        } catch (ArithmeticException e) {
            throw new JinjaException(left + " " + operator + " " + right + " does not fit 64 bits");
        }
        double a = left.doubleValue();
        double b = right.doubleValue();
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            default -> Math.pow(a, b);
        };
    }

    private static Object onIntegers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> Math.addExact(a, b);
            case "-" -> Math.subtractExact(a, b);
            case "*" -> Math.multiplyExact(a, b);
            case "/" -> (Object) ((double) a / b);
            case "//" -> Math.floorDiv(a, b);
            case "%" -> Math.floorMod(a, b);
            default -> power(a, b);
        };
    }

    private static Object power(long a, long b) {
        if (b < 0) {
            return Math.pow((double) a, (double) b);
        }
        return BigInteger.valueOf(a).pow((int) Math.min(b, 10_000)).longValueExact();
    }

    private static JinjaException unfit(String operator, @Nullable Object left, @Nullable Object right) {
        return new JinjaException("\"" + operator + "\" cannot be applied to " + Values.described(left) + " and "
                + Values.described(right));
    }

    /// The integer part of a number.
    ///
    /// @throws JinjaException if it does not fit 64 bits
    public static long truncated(Number number) {
        if (number instanceof Long whole) {
            return whole;
        }
        return new BigDecimal(finite(number.doubleValue())).toBigInteger().longValueExact();
    }

    /// @throws JinjaException if a number is infinite or NaN
    public static double finite(double value) {
        if (!Double.isFinite(value)) {
            throw new JinjaException(Values.text(value) + " is not a whole number");
        }
        return value;
    }
}
