package io.shadowkv.cache;

import java.util.List;
import java.util.stream.IntStream;

/// The strategy that stores keys and values, and its parameters.
public sealed interface KvCacheSpec {
    /// Short name as the command line spells it.
    String name();

    /// Every key and value stays in device memory; attention reads all of them.
    record Full() implements KvCacheSpec {
        @Override
        public String name() {
            return "full";
        }
    }

    /// ShadowKV (arXiv 2410.21465): low-rank plain keys and an index in device memory, values in host
    /// memory, a few units fetched and rebuilt at each step. A unit is a chunk of tokens or one token;
    /// the index decides.
    ///
    /// @param index what a step compares with the queries
    /// @param rank columns of the key factorisation to keep; if larger than the model's kvHeads ·
    ///     headDim, all are kept
    /// @param budget tokens selected per step and key-value head
    /// @param residency tokens that stay resident
    /// @param values how values are stored
    record Shadow(IndexSpec index, int rank, Budget budget, Residency residency, ValueFormat values)
            implements KvCacheSpec {
        /// The paper's defaults.
        public static final Shadow DEFAULT = new Shadow(160, 8, 2048, 48, 32, 256);

        public Shadow {
            int unit = index.unitTokens();
            Limits.atLeast("rank", rank, 1);
            Limits.multiple("sparse budget", budget.tokens, unit, unit);
            for (int tokens : budget.firstLayers) {
                Limits.multiple("budget of a layer", tokens, unit, unit);
            }
            Limits.multiple("local tokens", residency.localTokens, unit, unit);
            Limits.multiple("generated tokens", residency.generatedTokens, unit, unit);
            Limits.multiple("cached tokens", residency.cachedTokens, unit, budget.tokens);
        }

        /// Tokens selected per step and key-value head, a multiple of the unit.
        ///
        /// @param tokens budget of every layer that has none of its own
        /// @param firstLayers budgets of the first layers, in order
        public record Budget(int tokens, List<Integer> firstLayers) {
            public Budget {
                firstLayers = List.copyOf(firstLayers);
            }

            /// The same budget in all layers.
            public Budget(int tokens) {
                this(tokens, List.of());
            }

            public int ofLayer(int layer) {
                return layer < firstLayers.size() ? firstLayers.get(layer) : tokens;
            }

            /// The different budgets, that of all other layers first.
            public List<Integer> distinct() {
                return IntStream.concat(
                                IntStream.of(tokens), firstLayers.stream().mapToInt(Integer::intValue))
                        .distinct()
                        .boxed()
                        .toList();
            }

            /// Mean over layers `from` to `layers` (exclusive).
            public double mean(int from, int layers) {
                return IntStream.range(from, layers)
                        .map(this::ofLayer)
                        .average()
                        .orElse(tokens);
            }
        }

        /// Tokens whose keys and values are resident in addition to the outliers.
        ///
        /// @param localTokens newest tokens, which always stay resident unchanged; a multiple of the
        ///     unit
        /// @param generatedTokens generated tokens that stay resident unchanged until they are added
        ///     to the index together; a multiple of the unit
        /// @param cachedTokens fetched tokens that stay resident, those of the current and of earlier
        ///     steps, so that more of the next selection is already resident; at least the sparse
        ///     budget, a multiple of the unit. A layer with a budget of its own keeps as many more
        ///     than its budget.
        public record Residency(int localTokens, int generatedTokens, int cachedTokens) {}

        /// The paper's cache: landmarks, values as they are, and only the selection of one step is
        /// resident.
        public Shadow(
                int rank, int chunkSize, int sparseBudget, int outlierChunks, int localTokens, int generatedTokens) {
            this(
                    new IndexSpec.Landmarks(chunkSize, outlierChunks),
                    rank,
                    new Budget(sparseBudget),
                    new Residency(localTokens, generatedTokens, sparseBudget),
                    ValueFormat.AS_KEYS);
        }

        public Shadow withIndex(IndexSpec other) {
            return new Shadow(other, rank, budget, residency, values);
        }

        public Shadow withRank(int columns) {
            return new Shadow(index, columns, budget, residency, values);
        }

        /// The cached tokens follow where they were as many as the budget, or would be fewer.
        public Shadow withSparseBudget(int tokens) {
            int cached = residency.cachedTokens;
            int followed = cached == budget.tokens ? tokens : Math.max(cached, tokens);
            return new Shadow(
                    index,
                    rank,
                    new Budget(tokens, budget.firstLayers),
                    new Residency(residency.localTokens, residency.generatedTokens, followed),
                    values);
        }

        /// Gives the first layers budgets of their own.
        public Shadow withFirstLayers(Integer... tokens) {
            return new Shadow(index, rank, new Budget(budget.tokens, List.of(tokens)), residency, values);
        }

        public Shadow withResidency(Residency other) {
            return new Shadow(index, rank, budget, other, values);
        }

        public Shadow withCachedTokens(int tokens) {
            return withResidency(new Residency(residency.localTokens, residency.generatedTokens, tokens));
        }

        public Shadow withValues(ValueFormat format) {
            return new Shadow(index, rank, budget, residency, format);
        }

        @Override
        public String name() {
            return "shadowkv";
        }

        /// Tokens of a selection unit.
        public int unitTokens() {
            return index.unitTokens();
        }

        /// Rows of the outliers per key-value head.
        public int outlierTokens() {
            return index.outlierUnits() * index.unitTokens();
        }

        /// Tokens selected per step and key-value head in a layer without a budget of its own.
        public int sparseBudget() {
            return budget.tokens;
        }

        /// Tokens that stay resident in addition to those that a step selects.
        public int spareTokens() {
            return residency.cachedTokens - budget.tokens;
        }

        /// Units selected per step and head in a layer without a budget of its own.
        public int selectedUnits() {
            return budget.tokens / unitTokens();
        }

        /// Units resident per head in addition to the outliers, in a layer without a budget of its own.
        public int cachedUnits() {
            return residency.cachedTokens / unitTokens();
        }

        /// Number of tokens that stay resident without an index. A shorter sequence keeps all its
        /// keys and values and attends to them exactly.
        ///
        /// @param layers number of layers of the model
        public int residentTokens(int layers) {
            int least = IntStream.range(0, layers).map(budget::ofLayer).min().orElse(budget.tokens);
            return outlierTokens() + least + spareTokens() + recentTokens();
        }

        /// Number of rows in the recent region: local tokens, generated tokens, and the remainder
        /// of a unit.
        public int recentTokens() {
            return residency.localTokens + residency.generatedTokens + unitTokens();
        }

        /// The parameters in the order that saved documents and logs have.
        @Override
        public String toString() {
            StringBuilder text = new StringBuilder("Shadow[");
            String outliers = switch (index) {
                case IndexSpec.Landmarks landmarks -> {
                    text.append("rank=").append(rank).append(", chunkSize=").append(landmarks.chunkSize());
                    yield ", outlierChunks=" + landmarks.outlierChunks();
                }
                case IndexSpec.TokenCodes codes -> {
                    text.append("index=").append(codes.name()).append(", rank=").append(rank);
                    yield "";
                }
            };
            text.append(", sparseBudget=").append(budget.tokens).append(outliers);
            if (!budget.firstLayers.isEmpty()) {
                text.append(", firstLayers=").append(budget.firstLayers);
            }
            return text + ", localTokens=" + residency.localTokens + ", generatedTokens=" + residency.generatedTokens
                    + ", values=" + values + ", cachedTokens=" + residency.cachedTokens + "]";
        }
    }
}
