package io.shadowkv.eval;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.ValueFormat;
import io.shadowkv.cache.prefill.PrefillSpec;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A cache strategy with all of its parameters and a way to read prompts, named as in logs.
///
/// @param name `full` or `shadowkv`
/// @param shadow ShadowKV's parameters, null for full attention
/// @param prefill how prompts are read, null if exactly
public record Method(
        String name, @Nullable Shadow shadow, @Nullable ReadMethod prefill) {
    /// Full attention, also while prompts are read.
    public static final Method FULL = new Method("full", null);

    /// A method that reads prompts exactly.
    public Method(String name, @Nullable Shadow shadow) {
        this(name, shadow, null);
    }

    /// ShadowKV's parameters; see [KvCacheSpec.Shadow]. Logs of older versions lack the index and the
    /// budgets of layers: they have landmarks and one budget.
    ///
    /// @param values `as_keys`, `i8` or `f8`
    /// @param index `landmarks` or `codes`
    /// @param layerBudgets budgets of the first layers
    public record Shadow(
            int rank,
            int chunkSize,
            int budget,
            int outliers,
            int localTokens,
            int generatedTokens,
            String values,
            int cachedTokens,
            @Nullable String index,
            @Nullable List<Integer> layerBudgets) {
        public Shadow {
            index = index == null ? LANDMARKS : index;
            layerBudgets = layerBudgets == null ? List.of() : List.copyOf(layerBudgets);
        }

        /// Landmarks and one budget.
        public Shadow(
                int rank,
                int chunkSize,
                int budget,
                int outliers,
                int localTokens,
                int generatedTokens,
                String values,
                int cachedTokens) {
            this(
                    rank,
                    chunkSize,
                    budget,
                    outliers,
                    localTokens,
                    generatedTokens,
                    values,
                    cachedTokens,
                    LANDMARKS,
                    List.of());
        }

        @Override
        public String index() {
            return index == null ? LANDMARKS : index;
        }

        @Override
        public List<Integer> layerBudgets() {
            return layerBudgets == null ? List.of() : layerBudgets;
        }

        /// The same with another rank, budget and number of cached tokens.
        public Shadow with(int otherRank, int otherBudget, int otherCached) {
            return new Shadow(
                    otherRank,
                    chunkSize,
                    otherBudget,
                    outliers,
                    localTokens,
                    generatedTokens,
                    values,
                    otherCached,
                    index,
                    layerBudgets);
        }

        private IndexSpec indexSpec() {
            return switch (index()) {
                case LANDMARKS -> new IndexSpec.Landmarks(chunkSize, outliers);
                case CODES -> new IndexSpec.TokenCodes();
                default ->
                    throw new IllegalArgumentException(
                            "'" + index + "' is not an index; expected " + LANDMARKS + " or " + CODES);
            };
        }
    }

    private static final String LANDMARKS = "landmarks";
    private static final String CODES = "codes";

    public static Method of(KvCacheSpec spec) {
        return switch (spec) {
            case KvCacheSpec.Full _ -> FULL;
            case KvCacheSpec.Shadow s ->
                new Method(
                        s.name(),
                        new Shadow(
                                s.rank(),
                                s.unitTokens(),
                                s.sparseBudget(),
                                s.index().outlierUnits(),
                                s.residency().localTokens(),
                                s.residency().generatedTokens(),
                                s.values().name().toLowerCase(Locale.ROOT),
                                s.residency().cachedTokens(),
                                s.index().name(),
                                s.budget().firstLayers()));
        };
    }

    /// The same cache with another way to read prompts.
    public Method reading(PrefillSpec spec) {
        return new Method(name, shadow, ReadMethod.of(spec));
    }

    /// The name for readers of how prompts are read.
    public String prefillLabel() {
        return prefill == null ? new PrefillSpec.Exact().label() : prefill.label();
    }

    /// How prompts are read.
    ///
    /// @throws IllegalArgumentException if its pattern file cannot be read
    public PrefillSpec prefillSpec() {
        return prefill == null ? new PrefillSpec.Exact() : prefill.spec();
    }

    /// The cache specification of this method.
    public KvCacheSpec spec() {
        Shadow s = shadow;
        return s == null
                ? new KvCacheSpec.Full()
                : new KvCacheSpec.Shadow(
                        s.indexSpec(),
                        s.rank(),
                        new KvCacheSpec.Shadow.Budget(s.budget(), s.layerBudgets()),
                        new KvCacheSpec.Shadow.Residency(s.localTokens(), s.generatedTokens(), s.cachedTokens()),
                        ValueFormat.valueOf(s.values().toUpperCase(Locale.ROOT)));
    }

    /// The name for readers: `full`, or `shadowkv` with the budget and every other parameter that
    /// differs from the paper's defaults; then how prompts are read, if not exactly.
    public String label() {
        return prefill == null ? cacheLabel() : cacheLabel() + " prefill " + prefill.label();
    }

    private String cacheLabel() {
        Shadow s = shadow;
        if (s == null) {
            return name;
        }
        KvCacheSpec.Shadow paper = KvCacheSpec.Shadow.DEFAULT;
        StringBuilder label = new StringBuilder(name).append(" budget ").append(s.budget());
        note(label, "rank", s.rank(), paper.rank());
        if (s.index().equals(LANDMARKS)) {
            note(label, "chunk", s.chunkSize(), paper.unitTokens());
            note(label, "outliers", s.outliers(), paper.index().outlierUnits());
        } else {
            label.append(" index ").append(s.index());
        }
        note(label, "local", s.localTokens(), paper.residency().localTokens());
        note(label, "generated", s.generatedTokens(), paper.residency().generatedTokens());
        note(label, "cached", s.cachedTokens(), s.budget());
        if (!s.layerBudgets().isEmpty()) {
            label.append(" first layers ")
                    .append(s.layerBudgets().stream()
                            .map(tokens -> multiple(tokens, s.budget()))
                            .collect(Collectors.joining(",")));
        }
        return s.values().equals("as_keys")
                ? label.toString()
                : label.append(" values ").append(s.values()).toString();
    }

    /// A whole multiple of the budget as such, so that methods whose budgets grow with the length have
    /// one name; other budgets in tokens.
    private static String multiple(int tokens, int budget) {
        return tokens % budget == 0 ? tokens / budget + "x" : String.valueOf(tokens);
    }

    private static void note(StringBuilder label, String name, int value, int usual) {
        if (value != usual) {
            label.append(' ').append(name).append(' ').append(value);
        }
    }
}
