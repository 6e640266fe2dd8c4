package io.shadowkv.text.grammar.regex;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Makes the automaton of a range of numbers, written as JSON has them: no leading zero, no `-0`,
/// no exponent.
///
/// A state stands for all beginnings that can go on alike. Of the digits before the point it knows
/// how many there are, and how they compare with as many leading digits of each bound; of those
/// behind the point, how the number so far compares with each bound cut to as many digits.
final class NumberAutomaton {
    /// No point has come yet.
    private static final int BEFORE_POINT = -1;

    /// What is known of a number's beginning.
    ///
    /// @param scale digits behind the point, or [#BEFORE_POINT]
    /// @param digits digits before the point while no point has come, else 0
    /// @param toLow how it compares with the low bound: -1, 0 or 1
    /// @param toHigh how it compares with the high bound
    private record Key(boolean isNegative, int scale, int digits, int toLow, int toHigh) {}

    private final List<int[]> next = new ArrayList<>();
    private final List<Boolean> accepting = new ArrayList<>();
    private final Map<Key, Integer> numbers = new HashMap<>();

    private NumberAutomaton() {}

    static Dfa of(NumberRange range) {
        NumberAutomaton automaton = new NumberAutomaton();
        int start = Dfa.newState(automaton.next, automaton.accepting);
        if (range.high().signum() >= 0) {
            automaton.addFirstDigits(start, range.fromZero(), false);
        }
        if (range.low().signum() < 0) {
            int minus = Dfa.newState(automaton.next, automaton.accepting);
            automaton.next.get(start)['-'] = minus;
            automaton.addFirstDigits(minus, range.magnitudesBelowZero(), true);
        }
        return Dfa.trimmed(automaton.next, automaton.accepting);
    }

    private void addFirstDigits(int from, NumberRange range, boolean isNegative) {
        for (int digit = 0; digit <= 9; digit++) {
            add(from, digit, BigDecimal.valueOf(digit), BEFORE_POINT, range, isNegative);
        }
    }

    private void addNextDigits(int from, BigDecimal value, int scale, NumberRange range, boolean isNegative) {
        for (int digit = 0; digit <= 9; digit++) {
            BigDecimal longer = scale == BEFORE_POINT
                    ? value.multiply(BigDecimal.TEN).add(BigDecimal.valueOf(digit))
                    : value.add(BigDecimal.valueOf(digit, scale + 1));
            add(from, digit, longer, scale == BEFORE_POINT ? scale : scale + 1, range, isNegative);
        }
    }

    /// Adds the edge on a digit; a number beyond the high bound can only grow.
    private void add(int from, int digit, BigDecimal value, int scale, NumberRange range, boolean isNegative) {
        if (value.compareTo(range.high()) <= 0) {
            next.get(from)['0' + digit] = state(value, scale, range, isNegative);
        }
    }

    private int state(BigDecimal value, int scale, NumberRange range, boolean isNegative) {
        Key key = key(value, scale, range, isNegative);
        Integer known = numbers.get(key);
        if (known != null) {
            return known;
        }
        int number = Dfa.newState(next, accepting);
        numbers.put(key, number);
        accepting.set(number, scale != 0 && range.contains(value));
        // Nothing but a point may follow a leading zero.
        boolean mayGrow = scale == BEFORE_POINT ? value.signum() != 0 : scale < range.fractionDigits();
        if (mayGrow) {
            addNextDigits(number, value, scale, range, isNegative);
        }
        if (scale == BEFORE_POINT && range.fractionDigits() > 0) {
            next.get(number)['.'] = state(value, 0, range, isNegative);
        }
        return number;
    }

    private static Key key(BigDecimal value, int scale, NumberRange range, boolean isNegative) {
        if (scale == BEFORE_POINT) {
            BigInteger whole = value.toBigIntegerExact();
            int digits = whole.signum() == 0 ? 0 : whole.toString().length();
            return new Key(isNegative, scale, digits, compare(whole, range.low()), compare(whole, range.high()));
        }
        int toLow = value.compareTo(range.low().setScale(scale, RoundingMode.FLOOR));
        int toHigh = value.compareTo(range.high().setScale(scale, RoundingMode.FLOOR));
        return new Key(isNegative, scale, 0, toLow, toHigh);
    }

    /// Compares with the leading digits of a bound, as many as `whole` has.
    private static int compare(BigInteger whole, BigDecimal bound) {
        String digits = bound.toBigInteger().toString();
        int length = Math.min(digits.length(), whole.toString().length());
        return whole.compareTo(new BigInteger(digits.substring(0, length)));
    }
}
