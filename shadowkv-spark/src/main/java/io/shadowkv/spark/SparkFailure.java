package io.shadowkv.spark;

/// Messages of Spark's failures.
final class SparkFailure {
    private SparkFailure() {}

    /// The message without the executor's stack trace, which Spark includes.
    static String message(Exception e) {
        return String.valueOf(e.getMessage())
                .lines()
                .takeWhile(line -> !line.startsWith("\tat ") && !line.startsWith("Driver stacktrace"))
                .reduce((a, b) -> a + "\n" + b)
                .orElse("");
    }
}
