package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// ShadowKV's parameters; a mixin of commands that choose a method or run several.
public final class ShadowFlags {
    @Option(
            names = "--rank",
            paramLabel = "N",
            description = "shadowkv: columns kept of the key factorisation. Default: 160.")
    private @Nullable Integer rank;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            description = "shadowkv: tokens selected per step and key-value head, a multiple of the chunk size."
                    + " Default: 2048.")
    private @Nullable Integer budget;

    @Mixin
    private ShadowShapeFlags shape;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public ShadowFlags() {}

    /// The given parameters, with the paper's values for the others.
    ///
    /// @param command reports a value that is out of range
    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    public KvCacheSpec.Shadow spec(CommandSpec command) {
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        return shape.spec(
                command, ShadowShapeFlags.or(rank, paper.rank()), ShadowShapeFlags.or(budget, paper.sparseBudget()));
    }

    /// Names of the options that were given.
    List<String> given() {
        List<String> names = new ArrayList<>();
        ShadowShapeFlags.note(names, "--rank", rank);
        ShadowShapeFlags.note(names, "--budget", budget);
        shape.given(names);
        return names;
    }
}
