package io.shadowkv.cli.bench.load;

/// What happened to one request. Times are nanoseconds since the start of the run.
///
/// @param index number of the request in its trace
/// @param scheduled when it was to be sent; all latencies count from here, so that a late request
///     does not look fast
/// @param sent when it was sent
/// @param arrivals when each part of the answer arrived; a part is usually a token
/// @param ended when the answer ended or failed
/// @param promptTokens tokens of the prompt, as the server counts them
/// @param cachedTokens prompt tokens that were not read again
/// @param answerTokens tokens of the answer, as the server counts them
/// @param error kind of failure; empty for a whole answer
public record AnswerRecord(
        int index,
        long scheduled,
        long sent,
        long[] arrivals,
        long ended,
        int promptTokens,
        int cachedTokens,
        int answerTokens,
        String error) {
    /// Kind of a request that was stopped because the run was interrupted.
    public static final String INTERRUPTED = "interrupted";

    public boolean isComplete() {
        return error.isEmpty() && arrivals.length > 0;
    }

    /// Time to first token (TTFT).
    public long firstTokenNanos() {
        return arrivals[0] - scheduled;
    }

    /// Mean time per output token after the first one (TPOT); NaN for an answer of one token.
    public double perTokenNanos() {
        return answerTokens < 2
                ? Double.NaN
                : (double) (arrivals[arrivals.length - 1] - arrivals[0]) / (answerTokens - 1);
    }

    /// End-to-end latency (E2EL).
    public long endToEndNanos() {
        return ended - scheduled;
    }
}
