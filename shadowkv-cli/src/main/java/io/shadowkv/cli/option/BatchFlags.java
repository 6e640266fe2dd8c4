package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// How many sequences an engine decodes and keeps; a mixin of the commands that start a server.
public final class BatchFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--max-batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Sequences that decode together. Default: ${DEFAULT-VALUE}.")
    private int maxBatch;

    @Option(
            names = "--kept-prompts",
            paramLabel = "N",
            defaultValue = "64",
            description = "Sequences kept after their end, so that a request that begins with their tokens does not"
                    + " read them again; others take their memory when they need it. Default: ${DEFAULT-VALUE}.")
    private int keptPrompts;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private BatchFlags() {}

    /// @throws ParameterException if a value is out of range
    public EngineOptions options(EngineOptions plain) {
        return CacheFlags.checked(command, () -> plain.withMaxBatch(maxBatch).withKeptPrompts(keptPrompts));
    }
}
