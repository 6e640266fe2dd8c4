package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/// ShadowKV's parameters except rank and budget, which some commands take as lists; a mixin.
public final class ShadowShapeFlags {
    @Option(names = "--chunk-size", paramLabel = "N", description = "shadowkv: tokens selected together. Default: 8.")
    private @Nullable Integer chunkSize;

    @Option(
            names = "--outliers",
            paramLabel = "CHUNKS",
            description = "shadowkv: outlier chunks per key-value head, which stay resident. Default: 48.")
    private @Nullable Integer outliers;

    @Option(
            names = "--local-tokens",
            paramLabel = "TOKENS",
            description =
                    "shadowkv: newest tokens that always stay resident, a multiple of the chunk size. Default: 32.")
    private @Nullable Integer localTokens;

    @Option(
            names = "--generated-tokens",
            paramLabel = "TOKENS",
            description = "shadowkv: further new tokens that stay resident until they are indexed, a multiple of the"
                    + " chunk size. Default: 256.")
    private @Nullable Integer generatedTokens;

    @Option(
            names = "--values",
            paramLabel = "FORMAT",
            converter = Format.class,
            description = "shadowkv: format of offloaded values: as-keys, int8 or fp8. Default: as-keys.")
    private @Nullable ValueFormat values;

    @Option(
            names = "--cached-tokens",
            paramLabel = "TOKENS",
            description =
                    "shadowkv: fetched tokens that stay resident per key-value head, those of the current step and earlier ones;"
                            + " a multiple of the chunk size. Default: the budget.")
    private @Nullable Integer cachedTokens;

    public ShadowShapeFlags() {}

    /// Number of tokens per chunk.
    public int chunkTokens() {
        return or(chunkSize, KvCacheSpec.Shadow.DEFAULT.chunkSize());
    }

    /// The given parameters, with the paper's values for the others.
    ///
    /// @param command reports a value that is out of range
    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    public KvCacheSpec.Shadow spec(CommandSpec command, int rank, int budget) {
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        return CacheFlags.checked(
                command,
                () -> new KvCacheSpec.Shadow(
                        rank,
                        chunkTokens(),
                        budget,
                        or(outliers, paper.outlierChunks()),
                        or(localTokens, paper.localTokens()),
                        or(generatedTokens, paper.generatedTokens()),
                        values == null ? paper.values() : values,
                        or(cachedTokens, budget)));
    }

    /// Adds the names of the given options.
    void given(List<String> names) {
        note(names, "--chunk-size", chunkSize);
        note(names, "--outliers", outliers);
        note(names, "--local-tokens", localTokens);
        note(names, "--generated-tokens", generatedTokens);
        note(names, "--values", values);
        note(names, "--cached-tokens", cachedTokens);
    }

    static int or(@Nullable Integer given, int otherwise) {
        return given == null ? otherwise : given;
    }

    static void note(List<String> names, String name, @Nullable Object given) {
        if (given != null) {
            names.add(name);
        }
    }

    /// Converts the argument of `--value-format`.
    static final class Format implements ITypeConverter<ValueFormat> {
        @Override
        public ValueFormat convert(String value) {
            return switch (value.toLowerCase(Locale.ROOT)) {
                case "as-keys" -> ValueFormat.AS_KEYS;
                case "int8" -> ValueFormat.I8;
                case "fp8" -> ValueFormat.F8;
                default ->
                    throw new TypeConversionException("'" + value + "' is not a format; expected as-keys, int8 or fp8");
            };
        }
    }
}
