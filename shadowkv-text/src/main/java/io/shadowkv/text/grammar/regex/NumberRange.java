package io.shadowkv.text.grammar.regex;

import java.math.BigDecimal;

/// The numbers between two bounds that have at most so many digits behind the point.
///
/// @param low the least number, or the one below it if exclusive
/// @param high the greatest number, or the one above it if exclusive
/// @param fractionDigits 0 for integers
public record NumberRange(
        BigDecimal low, boolean isLowExclusive, BigDecimal high, boolean isHighExclusive, int fractionDigits) {
    boolean contains(BigDecimal value) {
        int toLow = value.compareTo(low);
        int toHigh = value.compareTo(high);
        return (toLow > 0 || toLow == 0 && !isLowExclusive) && (toHigh < 0 || toHigh == 0 && !isHighExclusive);
    }

    /// Those that are not negative.
    NumberRange fromZero() {
        return low.signum() >= 0
                ? this
                : new NumberRange(BigDecimal.ZERO, false, high, isHighExclusive, fractionDigits);
    }

    /// The negative ones without their sign.
    NumberRange magnitudesBelowZero() {
        return high.signum() >= 0
                ? new NumberRange(BigDecimal.ZERO, true, low.negate(), isLowExclusive, fractionDigits)
                : new NumberRange(high.negate(), isHighExclusive, low.negate(), isLowExclusive, fractionDigits);
    }
}
