package io.shadowkv.eval;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A cache strategy with all of its parameters, named as in logs.
///
/// @param name `full` or `shadowkv`
/// @param shadow ShadowKV's parameters, null for full attention
public record Method(String name, @Nullable Shadow shadow) {
    /// Full attention.
    public static final Method FULL = new Method("full", null);

    /// ShadowKV's parameters; see [KvCacheSpec.Shadow].
    ///
    /// @param values `as_keys`, `i8` or `f8`
    public record Shadow(
            int rank,
            int chunkSize,
            int budget,
            int outliers,
            int localTokens,
            int generatedTokens,
            String values,
            int cachedTokens) {}

    public static Method of(KvCacheSpec spec) {
        return switch (spec) {
            case KvCacheSpec.Full _ -> FULL;
            case KvCacheSpec.Shadow s ->
                new Method(
                        s.name(),
                        new Shadow(
                                s.rank(),
                                s.chunkSize(),
                                s.sparseBudget(),
                                s.outlierChunks(),
                                s.localTokens(),
                                s.generatedTokens(),
                                s.values().name().toLowerCase(Locale.ROOT),
                                s.cachedTokens()));
        };
    }

    /// The cache specification of this method.
    public KvCacheSpec spec() {
        Shadow s = shadow;
        return s == null
                ? new KvCacheSpec.Full()
                : new KvCacheSpec.Shadow(
                        s.rank(),
                        s.chunkSize(),
                        s.budget(),
                        s.outliers(),
                        s.localTokens(),
                        s.generatedTokens(),
                        ValueFormat.valueOf(s.values().toUpperCase(Locale.ROOT)),
                        s.cachedTokens());
    }

    /// The name for readers: `full`, or `shadowkv` with the budget and every other parameter that
    /// differs from the paper's defaults.
    public String label() {
        Shadow s = shadow;
        if (s == null) {
            return name;
        }
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        StringBuilder label = new StringBuilder(name).append(" budget ").append(s.budget());
        note(label, "rank", s.rank(), paper.rank());
        note(label, "chunk", s.chunkSize(), paper.chunkSize());
        note(label, "outliers", s.outliers(), paper.outlierChunks());
        note(label, "local", s.localTokens(), paper.localTokens());
        note(label, "generated", s.generatedTokens(), paper.generatedTokens());
        note(label, "cached", s.cachedTokens(), s.budget());
        return s.values().equals("as_keys")
                ? label.toString()
                : label.append(" values ").append(s.values()).toString();
    }

    private static void note(StringBuilder label, String name, int value, int usual) {
        if (value != usual) {
            label.append(' ').append(name).append(' ').append(value);
        }
    }
}
