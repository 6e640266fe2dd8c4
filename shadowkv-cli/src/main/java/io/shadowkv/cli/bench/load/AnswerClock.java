package io.shadowkv.cli.bench.load;

import java.util.Arrays;

/// Notes when the parts of an answer arrive. Used by one thread.
final class AnswerClock implements AnswerSink {
    private final int index;
    private final long start;
    private final long scheduled;
    private final long sent;
    private long[] arrivals = new long[128];
    private int parts;
    private int promptTokens;
    private int cachedTokens;
    private int answerTokens = -1;

    /// @param start `System.nanoTime` at the start of the run
    AnswerClock(int index, long start, long scheduled) {
        this.index = index;
        this.start = start;
        this.scheduled = scheduled;
        this.sent = System.nanoTime() - start;
    }

    @Override
    public void arrived() {
        if (parts == arrivals.length) {
            arrivals = Arrays.copyOf(arrivals, 2 * parts);
        }
        arrivals[parts++] = System.nanoTime() - start;
    }

    @Override
    public void counted(int prompt, int cached, int answer) {
        promptTokens = prompt;
        cachedTokens = cached;
        answerTokens = answer;
    }

    AnswerRecord record(String error) {
        return new AnswerRecord(
                index,
                scheduled,
                sent,
                Arrays.copyOf(arrivals, parts),
                System.nanoTime() - start,
                promptTokens,
                cachedTokens,
                // A server that gives no counts sends a token in each part.
                answerTokens < 0 ? parts : answerTokens,
                error);
    }
}
