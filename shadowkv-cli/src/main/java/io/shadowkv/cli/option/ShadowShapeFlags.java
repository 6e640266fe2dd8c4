package io.shadowkv.cli.option;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/// ShadowKV's parameters except rank and budget, which some commands take as lists; a mixin.
public final class ShadowShapeFlags {
    private static final LayerBudgets UNIFORM = new LayerBudgets(List.of());

    /// The indexes by name.
    public enum Index {
        landmarks,
        codes
    }

    @Option(
            names = "--index",
            split = ",",
            paramLabel = "NAME",
            description =
                    "shadowkv: what a step compares with the queries: landmarks, the mean key of each chunk, as in"
                            + " the paper; or codes, two bits a dimension of each token's key, which select single tokens."
                            + " The cuda backend has landmarks only. Default: landmarks.")
    private List<Index> indexes = List.of();

    @Option(
            names = "--layer-budgets",
            split = "/",
            paramLabel = "BUDGETS",
            converter = LayerBudgets.Converter.class,
            description =
                    "shadowkv: budgets of the first layers, in order, with commas between: tokens, or a multiple of"
                            + " the budget such as 8x. Default: the budget.")
    private List<LayerBudgets> layerBudgets = List.of();

    @Option(
            names = "--paper",
            description = "shadowkv: the paper's index and parameters, except rank and budget if they are given.")
    private boolean paper;

    @Option(
            names = "--chunk-size",
            paramLabel = "N",
            description = "shadowkv: tokens of a chunk, for landmarks. Default: 8.")
    private @Nullable Integer chunkSize;

    @Option(
            names = "--outliers",
            paramLabel = "CHUNKS",
            description =
                    "shadowkv: outlier chunks per key-value head, which stay resident, for landmarks. Default: 48.")
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

    /// One of the ways to select that the options ask for.
    public record Choice(Index index, LayerBudgets budgets) {}

    /// All ways to select: each index with each list of budgets. Commands that take several methods ask
    /// for them.
    public List<Choice> choices() {
        List<Choice> choices = new ArrayList<>();
        for (Index index : indexes.isEmpty() ? List.of(Index.landmarks) : indexes) {
            for (LayerBudgets budgets : layerBudgets.isEmpty() ? List.of(UNIFORM) : layerBudgets) {
                choices.add(new Choice(index, budgets));
            }
        }
        return choices;
    }

    /// The way to select of a command that takes one.
    private Choice choice(CommandSpec command) {
        List<Choice> choices = choices();
        if (choices.size() > 1) {
            String name = indexes.size() > 1 ? "--index" : "--layer-budgets";
            throw new ParameterException(
                    command.commandLine(), name + " has several values; this command takes one. Leave one");
        }
        return choices.getFirst();
    }

    /// Number of tokens that are selected together.
    public int unitTokens(Choice choice) {
        return choice.index == Index.codes ? 1 : or(chunkSize, KvCacheSpec.Shadow.DEFAULT.unitTokens());
    }

    /// Number of tokens that a command with one way to select selects together.
    public int unitTokens(CommandSpec command) {
        return unitTokens(choice(command));
    }

    /// The given parameters, with the paper's values for the others.
    ///
    /// @param command reports a value that is out of range
    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    public KvCacheSpec.Shadow spec(CommandSpec command, int rank, int budget) {
        return spec(command, choice(command), rank, budget);
    }

    /// The same with one of the ways to select.
    public KvCacheSpec.Shadow spec(CommandSpec command, Choice choice, int rank, int budget) {
        KvCacheSpec.Shadow defaults = KvCacheSpec.Shadow.DEFAULT;
        KvCacheSpec.Shadow.Residency residency = defaults.residency();
        checkTogether(command);
        return CacheFlags.checked(
                command,
                () -> new KvCacheSpec.Shadow(
                        index(choice),
                        rank,
                        new KvCacheSpec.Shadow.Budget(budget, choice.budgets.of(budget)),
                        new KvCacheSpec.Shadow.Residency(
                                or(localTokens, residency.localTokens()),
                                or(generatedTokens, residency.generatedTokens()),
                                or(cachedTokens, budget)),
                        values == null ? defaults.values() : values));
    }

    private IndexSpec index(Choice choice) {
        return choice.index == Index.codes
                ? new IndexSpec.TokenCodes()
                : new IndexSpec.Landmarks(
                        unitTokens(choice),
                        or(outliers, KvCacheSpec.Shadow.DEFAULT.index().outlierUnits()));
    }

    /// Refuses options that do not go together.
    private void checkTogether(CommandSpec command) {
        List<String> names = new ArrayList<>();
        if (paper) {
            given(names);
            names.remove("--paper");
            refuse(command, names, "--paper, which sets them to the paper's; leave them out, or leave out --paper");
        }
        if (indexes.equals(List.of(Index.codes))) {
            note(names, "--chunk-size", chunkSize);
            note(names, "--outliers", outliers);
            refuse(
                    command,
                    names,
                    "--index codes, which selects single tokens and has no outliers; leave them out, or use --index"
                            + " landmarks");
        }
    }

    private static void refuse(CommandSpec command, List<String> names, String reason) {
        if (!names.isEmpty()) {
            throw new ParameterException(command.commandLine(), String.join(", ", names) + " given with " + reason);
        }
    }

    /// Adds the names of the given options.
    void given(List<String> names) {
        note(names, "--index", indexes.isEmpty() ? null : true);
        note(names, "--layer-budgets", layerBudgets.isEmpty() ? null : true);
        note(names, "--paper", paper ? true : null);
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
