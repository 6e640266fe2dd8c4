package io.shadowkv.op.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.tensor.DType;

/// How near a result must come to the exact one: at most twice the largest error of a plain implementation in
/// float that sums in order and rounds to the same type, or a few roundings of the terms where that one was
/// lucky.
///
/// The plain implementation is written in the tests and knows nothing of the judge; that the two agree is
/// checked too.
///
/// @param what the case in words
/// @param dtype type of the result
/// @param magnitude largest sum of absolute terms that makes up an element
public record Closeness(String what, DType dtype, double magnitude) {
    private static final double FLOAT_ROUNDING = 0x1p-24;
    private static final double PLAIN_LIMIT = 1e-5;

    /// @param exact in double, from the judge
    /// @param plain in float, before it is rounded to the type
    /// @param actual from the backend under test
    public void check(double[] exact, float[] plain, float[] actual) {
        assertThat(actual).as(what).hasSameSizeAs(exact);
        double rounding = rounding(dtype);
        double plainError = largestError(exact, Sample.round(dtype, plain));
        double largest = largest(exact);
        assertThat(plainError <= 2 * rounding * largest + PLAIN_LIMIT * magnitude)
                .as("%s: judge and plain float loop agree (they differ by %s)", what, plainError)
                .isTrue();
        double bound = 2 * Math.max(plainError, rounding * largest + FLOAT_ROUNDING * magnitude);
        double error = largestError(exact, actual);
        assertThat(error <= bound)
                .as("%s: error %s, allowed %s (plain float loop: %s)", what, error, bound, plainError)
                .isTrue();
    }

    /// Half the distance of neighbouring numbers near 1.
    public static double rounding(DType dtype) {
        return switch (dtype) {
            case F32 -> FLOAT_ROUNDING;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-8;
            default -> throw new IllegalArgumentException("no rounding of " + dtype);
        };
    }

    private static double largestError(double[] exact, float[] actual) {
        double largest = 0;
        for (int i = 0; i < exact.length; i++) {
            double error = Math.abs(actual[i] - exact[i]);
            // NaN is right only where the exact result is NaN: elements that are not to be written. Any other
            // one stays in the maximum, and no bound admits it.
            largest = Math.max(largest, Double.compare(actual[i], exact[i]) == 0 ? 0 : error);
        }
        return largest;
    }

    private static double largest(double[] values) {
        double largest = 0;
        for (double value : values) {
            largest = Double.isNaN(value) ? largest : Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
