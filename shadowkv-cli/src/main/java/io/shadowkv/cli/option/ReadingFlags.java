package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import java.time.Duration;
import picocli.CommandLine.Option;

/// How prompts are read while other sequences decode.
public final class ReadingFlags {
    @Option(
            names = "--reading-share",
            paramLabel = "SHARE",
            defaultValue = "0.88",
            description = "On a GPU: share of its multiprocessors that read prompts while other sequences decode on the"
                    + " rest, 0 to below 1. More reads prompts faster and makes the gaps between tokens longer. 0"
                    + " takes turns, see --reading-budget. Default: ${DEFAULT-VALUE}.")
    private double readingShare;

    @Option(
            names = "--reading-budget",
            paramLabel = "MS",
            defaultValue = "20",
            description = "Where reading and decoding take turns (a CPU, or --reading-share 0): milliseconds that"
                    + " prompts are read between two decode steps of other sequences. Default: ${DEFAULT-VALUE}.")
    private int readingBudget;

    private ReadingFlags() {}

    /// @throws IllegalArgumentException if a value is out of range
    public EngineOptions options(EngineOptions plain) {
        return plain.withReadingBudget(Duration.ofMillis(readingBudget)).withReadingShare(readingShare);
    }
}
