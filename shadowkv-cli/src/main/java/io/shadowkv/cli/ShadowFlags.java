package io.shadowkv.cli;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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

    @Option(
            names = "--values",
            paramLabel = "FORMAT",
            converter = Format.class,
            description = "shadowkv: how offloaded values are stored: as-keys, int8 or fp8. Default: as-keys.")
    private @Nullable ValueFormat values;

    @Option(
            names = "--cached-tokens",
            paramLabel = "TOKENS",
            description =
                    "shadowkv: fetched tokens that stay resident per key-value head, the step's own and earlier ones;"
                            + " a multiple of the chunk size. Default: the budget.")
    private @Nullable Integer cachedTokens;

    public ShadowFlags() {}

    /// The parameters given, the paper's for the others.
    ///
    /// @param command reports what is out of range
    /// @throws picocli.CommandLine.ParameterException if a value is
    public KvCacheSpec.Shadow spec(CommandSpec command) {
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        int selected = or(budget, paper.sparseBudget());
        return CacheFlags.checked(
                command,
                () -> new KvCacheSpec.Shadow(
                        or(rank, paper.rank()),
                        or(chunkSize, paper.chunkSize()),
                        selected,
                        or(outliers, paper.outlierChunks()),
                        or(localTokens, paper.localTokens()),
                        or(generatedTokens, paper.generatedTokens()),
                        values == null ? paper.values() : values,
                        or(cachedTokens, selected)));
    }

    /// Names of the options that were given.
    List<String> given() {
        List<String> names = new ArrayList<>();
        note(names, "--rank", rank);
        note(names, "--chunk-size", chunkSize);
        note(names, "--budget", budget);
        note(names, "--outliers", outliers);
        note(names, "--local-tokens", localTokens);
        note(names, "--generated-tokens", generatedTokens);
        note(names, "--values", values);
        note(names, "--cached-tokens", cachedTokens);
        return names;
    }

    private static int or(@Nullable Integer given, int otherwise) {
        return given == null ? otherwise : given;
    }

    private static void note(List<String> names, String name, @Nullable Object given) {
        if (given != null) {
            names.add(name);
        }
    }

    /// Reads a value format.
    static final class Format implements ITypeConverter<ValueFormat> {
        @Override
        public ValueFormat convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "as-keys" -> ValueFormat.AS_KEYS;
                case "int8" -> ValueFormat.I8;
                case "fp8" -> ValueFormat.F8;
                default ->
                    throw new TypeConversionException("'" + value + "' is no format; expected as-keys, int8 or fp8");
            };
        }
    }
}
