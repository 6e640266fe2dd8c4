package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import io.shadowkv.cache.prefill.KeyLists.Kept;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/// Exact attention that measures what candidates of patterns would keep of some rows. The lists are
/// those that [MinferenceAttention] would read, so a candidate costs what the kernels compute.
final class TrialAttention implements PrefillAttention {
    private static final int BLOCK = MinferenceAttention.BLOCK;

    private final PatternTrials trials;
    private final int sampledRows;
    private final HeadShape shape;
    private final Backend backend;

    TrialAttention(PatternTrials trials, int sampledRows, HeadShape shape, Backend backend) {
        PatternTrials.Sums sums = trials.sums();
        if (sums.layers() != shape.layers() || sums.heads() != shape.queryHeads()) {
            throw new IllegalArgumentException("trials of " + sums.layers() + " layers and " + sums.heads()
                    + " query heads for a model with " + shape.layers() + " and " + shape.queryHeads());
        }
        this.trials = trials;
        this.sampledRows = sampledRows;
        this.shape = shape;
        this.backend = backend;
    }

    /// @throws IllegalArgumentException if the text is too short for a selection
    @Override
    public PromptAttention open(int before, int tokens) {
        if (tokens < MinferenceAttention.LEAST_ROWS) {
            throw new IllegalArgumentException(
                    "a text of " + tokens + " tokens is too short to search patterns; a pattern" + " is used from "
                            + MinferenceAttention.LEAST_ROWS + " tokens");
        }
        return new Text(KeptMass.positions(sampledRows, before, tokens));
    }

    @Override
    public long bytes(int before, int tokens) {
        return 0;
    }

    /// What the last queries of a text choose for one query head.
    ///
    /// @param columns by number of columns
    /// @param distances by number of distances
    private record Chosen(Map<Integer, int[]> columns, Map<Integer, int[]> distances, PooledBlocks pooled) {
        /// What the rows of a block read with a candidate.
        ///
        /// @param query the sum of the block's queries
        Kept kept(Pattern candidate, int rowBlock, float[] query) {
            return switch (candidate.kind()) {
                case VERTICAL_AND_SLASH ->
                    new VerticalSlash(
                                    Objects.requireNonNull(columns.get(candidate.vertical())),
                                    Objects.requireNonNull(distances.get(candidate.slash())))
                            .of(rowBlock);
                case BLOCK_SPARSE -> pooled.of(rowBlock, query);
                case STREAM_LLM -> MinferenceAttention.band(candidate, rowBlock);
            };
        }
    }

    private final class Text implements PromptAttention {
        private final PromptAttention exact = new ExactAttention(backend);
        private final int[] positions;
        private final Chosen[] chosen = new Chosen[shape.queryHeads()];

        Text(int[] positions) {
            this.positions = positions;
        }

        @Override
        public RowOrder order() {
            return new RowOrder(BLOCK, MinferenceAttention.OBSERVED);
        }

        @Override
        public void observe(int layer, AttendedRows rows, int keyCount, Tensor queries, double scale) {
            float[] last = backend.download(queries);
            for (int h = 0; h < shape.kvHeads(); h++) {
                float[] keys = backend.download(rows.keys().row(h).slice(0, keyCount));
                var pooled = new PooledBlocks(keys, keyCount, shape.headDim());
                int first = h * shape.groupSize();
                IntStream.range(first, first + shape.groupSize())
                        .parallel()
                        .forEach(head -> chosen[head] = choose(head, last, keys, keyCount, scale, pooled));
            }
        }

        private Chosen choose(int head, float[] last, float[] keys, int keyCount, double scale, PooledBlocks pooled) {
            LastQueries.Sums sums =
                    new LastQueries(last, shape.queryHeads(), head, shape.headDim(), scale).attend(keys, keyCount);
            Map<Integer, int[]> columns = new HashMap<>();
            Map<Integer, int[]> distances = new HashMap<>();
            for (Pattern candidate : trials.candidates()) {
                if (candidate.kind() == Kind.VERTICAL_AND_SLASH
                        && !(columns.containsKey(candidate.vertical()) && distances.containsKey(candidate.slash()))) {
                    VerticalSlash both = VerticalSlash.choose(candidate, sums.columns(), sums.distances());
                    columns.put(candidate.vertical(), both.columns());
                    distances.put(candidate.slash(), both.distances());
                }
            }
            return new Chosen(columns, distances, pooled);
        }

        @Override
        public void attend(
                int layer, AttendedRows rows, int keyCount, int firstToken, Tensor queries, double scale, Tensor out) {
            exact.attend(layer, rows, keyCount, firstToken, queries, scale, out);
            int last = firstToken + queries.extent(0);
            List<SampledRow> sampled = new ArrayList<>();
            for (int position : positions) {
                if (position >= firstToken && position < last) {
                    sampled.add(sampledRow(position, firstToken, queries));
                    trials.addRow(layer);
                }
            }
            if (sampled.isEmpty()) {
                return;
            }
            for (int h = 0; h < shape.kvHeads(); h++) {
                int count = sampled.getLast().position + 1;
                float[] keys = backend.download(rows.keys().row(h).slice(0, count));
                int first = h * shape.groupSize();
                IntStream.range(first, first + shape.groupSize())
                        .parallel()
                        .forEach(head -> sampled.forEach(row -> measure(layer, head, row, keys, scale)));
            }
        }

        /// The queries of the row's block, as far as they are in the piece.
        private SampledRow sampledRow(int position, int firstToken, Tensor queries) {
            int block = position / BLOCK;
            int from = Math.max(firstToken, block * BLOCK);
            int to = Math.min(firstToken + queries.extent(0), (block + 1) * BLOCK);
            return new SampledRow(position, from, backend.download(queries.slice(from - firstToken, to - from)));
        }

        private void measure(int layer, int head, SampledRow row, float[] keys, double scale) {
            int headDim = shape.headDim();
            int width = shape.queryHeads() * headDim;
            int own = (row.position - row.firstToken) * width + head * headDim;
            double[] weights = RowWeights.of(row.queries, own, keys, row.position + 1, headDim, scale);
            float[] sum = new float[headDim];
            for (int at = head * headDim; at < row.queries.length; at += width) {
                for (int e = 0; e < headDim; e++) {
                    sum[e] += row.queries[at + e];
                }
            }
            for (int i = 0; i < trials.candidates().size(); i++) {
                Kept kept = chosen[head].kept(trials.candidates().get(i), row.position / BLOCK, sum);
                trials.add(layer, head, i, kept.sum(weights, BLOCK), kept.keys(row.position, BLOCK));
            }
        }

        @Override
        public List<LayerDensity> densities() {
            return List.of();
        }

        @Override
        public void close() {}
    }

    /// @param firstToken position of the first query
    /// @param queries `[rows of the block, queryHeads, headDim]`
    private record SampledRow(int position, int firstToken, float[] queries) {}
}
