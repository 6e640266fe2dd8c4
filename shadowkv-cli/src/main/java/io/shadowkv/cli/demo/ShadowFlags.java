package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// ShadowKV's parameters for commands that run it beside full attention.
final class ShadowFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--rank",
            paramLabel = "N",
            defaultValue = "160",
            description = "ShadowKV: columns kept of the key factorisation. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Option(
            names = "--chunk-size",
            paramLabel = "TOKENS",
            defaultValue = "8",
            description = "ShadowKV: tokens selected together. Default: ${DEFAULT-VALUE}.")
    private int chunkSize;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            defaultValue = "2048",
            description = "ShadowKV: tokens selected per step and key-value head. Default: ${DEFAULT-VALUE}.")
    private int budget;

    @Option(
            names = "--outliers",
            paramLabel = "CHUNKS",
            defaultValue = "48",
            description = "ShadowKV: chunks per key-value head that stay whole. Default: ${DEFAULT-VALUE}.")
    private int outliers;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    ShadowFlags() {}

    KvCacheSpec.Shadow spec() {
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        try {
            return new KvCacheSpec.Shadow(
                    rank,
                    chunkSize,
                    budget,
                    outliers,
                    4 * chunkSize,
                    Math.max(paper.generatedTokens() / chunkSize, 1) * chunkSize);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
