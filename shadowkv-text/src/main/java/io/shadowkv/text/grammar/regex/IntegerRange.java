package io.shadowkv.text.grammar.regex;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The integers of a range, written as JSON has them: no leading zero, no `-0`.
final class IntegerRange {
    /// What is known of the digits so far.
    ///
    /// @param digits how many there are
    /// @param toLow how they compare with as many leading digits of the low bound: less, equal, or more
    /// @param toHigh how they compare with as many leading digits of the high bound
    private record Key(boolean isNegative, int digits, int toLow, int toHigh) {}

    private final List<int[]> next = new ArrayList<>();
    private final List<Boolean> accepting = new ArrayList<>();
    private final Map<Key, Integer> numbers = new HashMap<>();

    private IntegerRange() {}

    static Dfa of(BigInteger low, BigInteger high) {
        IntegerRange range = new IntegerRange();
        int start = Dfa.newState(range.next, range.accepting);
        if (high.signum() >= 0) {
            range.addDigits(start, null, low.max(BigInteger.ZERO), high, false);
        }
        if (low.signum() < 0) {
            int minus = Dfa.newState(range.next, range.accepting);
            range.next.get(start)['-'] = minus;
            BigInteger least = high.signum() < 0 ? high.negate() : BigInteger.ONE;
            range.addDigits(minus, null, least, low.negate(), true);
        }
        return Dfa.trimmed(range.next, range.accepting);
    }

    /// Adds the digits that may follow `prefix` so that the number can come to lie in `low` to `high`.
    private void addDigits(
            int state, @Nullable BigInteger prefix, BigInteger low, BigInteger high, boolean isNegative) {
        if (prefix != null && prefix.signum() == 0) {
            return;
        }
        for (int digit = 0; digit <= 9; digit++) {
            BigInteger value = prefix == null
                    ? BigInteger.valueOf(digit)
                    : prefix.multiply(BigInteger.TEN).add(BigInteger.valueOf(digit));
            if (value.compareTo(high) <= 0) {
                next.get(state)['0' + digit] = state(value, low, high, isNegative);
            }
        }
    }

    private int state(BigInteger value, BigInteger low, BigInteger high, boolean isNegative) {
        int digits = value.toString().length();
        boolean isZero = value.signum() == 0;
        Key key = isZero
                ? new Key(isNegative, 0, 0, 0)
                : new Key(isNegative, digits, compare(value, digits, low), compare(value, digits, high));
        Integer known = numbers.get(key);
        if (known != null) {
            return known;
        }
        int number = Dfa.newState(next, accepting);
        numbers.put(key, number);
        accepting.set(number, value.compareTo(low) >= 0 && value.compareTo(high) <= 0);
        addDigits(number, value, low, high, isNegative);
        return number;
    }

    private static int compare(BigInteger value, int digits, BigInteger bound) {
        String text = bound.toString();
        return value.compareTo(new BigInteger(text.substring(0, Math.min(digits, text.length()))));
    }
}
