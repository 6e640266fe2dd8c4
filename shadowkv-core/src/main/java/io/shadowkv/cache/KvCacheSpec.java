package io.shadowkv.cache;

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

    /// ShadowKV (arXiv 2410.21465): low-rank plain keys and landmarks in device memory, values in host
    /// memory, a few chunks fetched and rebuilt at each step.
    ///
    /// @param rank columns of the key factorisation to keep; if larger than the model's kvHeads ·
    ///     headDim, all are kept
    /// @param chunkSize tokens of a selection unit
    /// @param sparseBudget tokens selected per step and key-value head; a multiple of `chunkSize`
    /// @param outlierChunks chunks per key-value head whose keys and values stay resident unchanged
    /// @param localTokens newest tokens, which always stay resident unchanged; a multiple of
    ///     `chunkSize`
    /// @param generatedTokens generated tokens that stay resident unchanged until they are added to
    ///     the index together; a multiple of `chunkSize`
    /// @param values how values are stored
    /// @param cachedTokens fetched tokens that stay resident, those of the current and of earlier
    ///     steps, so that more of the next selection is already resident; at least `sparseBudget`,
    ///     a multiple of `chunkSize`
    record Shadow(
            int rank,
            int chunkSize,
            int sparseBudget,
            int outlierChunks,
            int localTokens,
            int generatedTokens,
            ValueFormat values,
            int cachedTokens)
            implements KvCacheSpec {
        /// The paper's defaults.
        public static final Shadow DEFAULT = new Shadow(160, 8, 2048, 48, 32, 256);

        public Shadow {
            atLeast("rank", rank, 1);
            atLeast("chunk size", chunkSize, 1);
            atLeast("outlier chunks", outlierChunks, 0);
            multiple("sparse budget", sparseBudget, chunkSize, chunkSize);
            multiple("local tokens", localTokens, chunkSize, chunkSize);
            multiple("generated tokens", generatedTokens, chunkSize, chunkSize);
            multiple("cached tokens", cachedTokens, chunkSize, sparseBudget);
        }

        /// The paper's cache: values are not quantised, and only the selection of one step is
        /// resident.
        public Shadow(
                int rank, int chunkSize, int sparseBudget, int outlierChunks, int localTokens, int generatedTokens) {
            this(
                    rank,
                    chunkSize,
                    sparseBudget,
                    outlierChunks,
                    localTokens,
                    generatedTokens,
                    ValueFormat.AS_KEYS,
                    sparseBudget);
        }

        public Shadow withRank(int columns) {
            return new Shadow(
                    columns,
                    chunkSize,
                    sparseBudget,
                    outlierChunks,
                    localTokens,
                    generatedTokens,
                    values,
                    cachedTokens);
        }

        /// The cached tokens follow where they were as many as the budget, or would be fewer.
        public Shadow withSparseBudget(int tokens) {
            return new Shadow(
                    rank,
                    chunkSize,
                    tokens,
                    outlierChunks,
                    localTokens,
                    generatedTokens,
                    values,
                    cachedTokens == sparseBudget ? tokens : Math.max(cachedTokens, tokens));
        }

        public Shadow withOutlierChunks(int chunks) {
            return new Shadow(
                    rank, chunkSize, sparseBudget, chunks, localTokens, generatedTokens, values, cachedTokens);
        }

        public Shadow withLocalTokens(int tokens) {
            return new Shadow(
                    rank, chunkSize, sparseBudget, outlierChunks, tokens, generatedTokens, values, cachedTokens);
        }

        public Shadow withGeneratedTokens(int tokens) {
            return new Shadow(rank, chunkSize, sparseBudget, outlierChunks, localTokens, tokens, values, cachedTokens);
        }

        public Shadow withValues(ValueFormat format) {
            return new Shadow(
                    rank, chunkSize, sparseBudget, outlierChunks, localTokens, generatedTokens, format, cachedTokens);
        }

        public Shadow withCachedTokens(int tokens) {
            return new Shadow(
                    rank, chunkSize, sparseBudget, outlierChunks, localTokens, generatedTokens, values, tokens);
        }

        @Override
        public String name() {
            return "shadowkv";
        }

        /// Units selected per step and head.
        public int selectedUnits() {
            return sparseBudget / chunkSize;
        }

        /// Units resident per head in addition to the outliers.
        public int cachedUnits() {
            return cachedTokens / chunkSize;
        }

        /// Number of tokens that stay resident without an index. A shorter sequence keeps all its keys and values
        /// and attends to them exactly.
        public int residentTokens() {
            return outlierChunks * chunkSize + cachedTokens + recentTokens();
        }

        /// Number of rows in the recent region: local tokens, generated tokens, and the remainder
        /// of a chunk.
        public int recentTokens() {
            return localTokens + generatedTokens + chunkSize;
        }

        private static void atLeast(String what, int value, int least) {
            if (value < least) {
                throw new IllegalArgumentException(what + " is " + value + "; expected at least " + least);
            }
        }

        private static void multiple(String what, int value, int unit, int least) {
            atLeast(what, value, least);
            if (value % unit != 0) {
                throw new IllegalArgumentException(
                        what + " is " + value + " tokens; expected a multiple of the chunk size, " + unit);
            }
        }
    }
}
