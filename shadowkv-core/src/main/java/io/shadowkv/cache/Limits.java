package io.shadowkv.cache;

/// Checks the values of parameters.
final class Limits {
    private Limits() {}

    static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " is " + value + "; expected at least " + least);
        }
    }

    static void multiple(String what, int value, int unit, int least) {
        atLeast(what, value, least);
        if (value % unit != 0) {
            throw new IllegalArgumentException(
                    what + " is " + value + " tokens; expected a multiple of the chunk size, " + unit);
        }
    }
}
