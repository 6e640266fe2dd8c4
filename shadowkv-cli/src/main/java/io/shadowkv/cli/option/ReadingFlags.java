package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import java.time.Duration;
import picocli.CommandLine.Option;

/// How prompts are read while other sequences decode.
public final class ReadingFlags {
    @Option(
            names = "--reading-gap",
            paramLabel = "MS",
            defaultValue = "50",
            description =
                    "Longest gap between two tokens, in milliseconds, while prompts of others are read, if that is"
                            + " possible. A longer gap reads prompts faster. Default: ${DEFAULT-VALUE}.")
    private int gap;

    private ReadingFlags() {}

    /// @throws IllegalArgumentException if a value is out of range
    public EngineOptions options(EngineOptions plain) {
        return plain.withReadingGap(Duration.ofMillis(gap));
    }
}
