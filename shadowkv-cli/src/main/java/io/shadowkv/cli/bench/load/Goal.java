package io.shadowkv.cli.bench.load;

/// A latency goal. Goodput counts the requests that meet it.
///
/// @param firstTokenMillis maximum time to first token; infinite for no goal
/// @param perTokenMillis maximum mean time between the tokens of an answer; infinite for no goal
public record Goal(double firstTokenMillis, double perTokenMillis) {
    private static final double MILLIS = 1e6;

    public Goal {
        if (!(firstTokenMillis > 0) || !(perTokenMillis > 0)) {
            throw new IllegalArgumentException("the goals are " + firstTokenMillis + " ms to the first token and "
                    + perTokenMillis + " ms between tokens; expected more than 0");
        }
    }

    /// True if an answer is whole and meets the goal. An answer of one token has no gaps.
    public boolean isMetBy(AnswerRecord answer) {
        return answer.isComplete()
                && answer.firstTokenNanos() / MILLIS <= firstTokenMillis
                && !(answer.perTokenNanos() / MILLIS > perTokenMillis);
    }

    @Override
    public String toString() {
        return "first token " + text(firstTokenMillis) + ", per token " + text(perTokenMillis);
    }

    private static String text(double millis) {
        return Double.isInfinite(millis)
                ? "any"
                : "<= " + (millis == Math.rint(millis) ? (long) millis + "" : millis + "") + " ms";
    }
}
