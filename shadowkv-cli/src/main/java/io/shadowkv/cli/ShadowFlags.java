package io.shadowkv.cli;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// ShadowKV's parameters; a mixin of commands that choose a method, and of those that run several.
public final class ShadowFlags {
    @Option(
            names = "--rank",
            paramLabel = "N",
            description = "shadowkv: columns kept of the key factorisation. Default: 160.")
    private @Nullable Integer rank;

    @Option(names = "--chunk-size", paramLabel = "N", description = "shadowkv: tokens selected together. Default: 8.")
    private @Nullable Integer chunkSize;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            description = "shadowkv: tokens selected per step and key-value head, a multiple of the chunk size."
                    + " Default: 2048.")
    private @Nullable Integer budget;

    @Option(
            names = "--outliers",
            paramLabel = "CHUNKS",
            description = "shadowkv: chunks per key-value head that stay whole. Default: 48.")
    private @Nullable Integer outliers;

    @Option(
            names = "--local-tokens",
            paramLabel = "TOKENS",
            description = "shadowkv: newest tokens that always stay whole, a multiple of the chunk size. Default: 32.")
    private @Nullable Integer localTokens;

    @Option(
            names = "--generated-tokens",
            paramLabel = "TOKENS",
            description = "shadowkv: further new tokens that stay whole until they join the index, a multiple of the"
                    + " chunk size. Default: 256.")
    private @Nullable Integer generatedTokens;
