package io.shadowkv.op.testing;

import static org.assertj.core.api.Assertions.fail;

import java.util.Arrays;

/// Comparison of copies and indices: every bit, NaN equal to NaN. (AssertJ boxes each element; these arrays are
/// long.)
public final class Exactly {
    private Exactly() {}

    public static void same(String what, float[] expected, float[] actual) {
        if (!Arrays.equals(expected, actual)) {
            int at = Arrays.mismatch(expected, actual);
            fail("%s: element %d of %d is %s, expected %s", what, at, actual.length, actual[at], expected[at]);
        }
    }

    public static void same(String what, int[] expected, int[] actual) {
        if (!Arrays.equals(expected, actual)) {
            int at = Arrays.mismatch(expected, actual);
            fail("%s: element %d of %d is %d, expected %d", what, at, actual.length, actual[at], expected[at]);
        }
    }

    public static void same(String what, byte[] expected, byte[] actual) {
        if (!Arrays.equals(expected, actual)) {
            int at = Arrays.mismatch(expected, actual);
            fail("%s: element %d of %d is %d, expected %d", what, at, actual.length, actual[at], expected[at]);
        }
    }
}
