package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.KeyLists.Kept;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/// Measures what share of exact attention's weights the keys hold that some rows of a text read. The
/// host computes it for each sampled row from the keys and the query, so it costs one pass over the
/// keys for each sampled row, query head and layer.
final class KeptMass {
    private final HeadShape shape;
    private final Backend backend;
    private final int[] positions;
    private final double[] sums;
    private final int[] rows;

    /// @param sampled number of rows of the text to measure; 0 for none
    /// @param before number of tokens in front of the text
    KeptMass(HeadShape shape, Backend backend, int sampled, int before, int tokens) {
        this.shape = shape;
        this.backend = backend;
        this.positions = positions(sampled, before, tokens);
        this.sums = new double[shape.layers()];
        this.rows = new int[shape.layers()];
    }

    /// The positions of sampled rows, evenly spread over a text, ascending. At most one for each token.
    static int[] positions(int sampled, int before, int tokens) {
        int count = Math.min(sampled, tokens);
        return IntStream.range(0, count)
                .map(i -> before + (int) ((2L * i + 1) * tokens / (2L * count)))
                .toArray();
    }

    /// What one query head reads at the block of a row.
    interface Lists {
        Kept at(int queryHead, int position);
    }

    /// The sampled positions from `from` to `to` (exclusive).
    int[] sampled(int from, int to) {
        return Arrays.stream(positions).filter(i -> i >= from && i < to).toArray();
    }

    /// Measures the sampled rows among these.
    ///
    /// @param queries rotated, `[t, queryHeads, headDim]`
    /// @param firstToken position of the first query
    /// @param block tokens of a key block
    void measure(int layer, AttendedRows rows, int firstToken, Tensor queries, double scale, int block, Lists lists) {
        for (int position : sampled(firstToken, firstToken + queries.extent(0))) {
            float[] query = backend.download(queries.slice(position - firstToken, 1));
            double sum = 0;
            for (int h = 0; h < shape.kvHeads(); h++) {
                int first = h * shape.groupSize();
                float[] keys = backend.download(rows.keys().row(h).slice(0, position + 1));
                sum += IntStream.range(first, first + shape.groupSize())
                        .parallel()
                        .mapToDouble(head -> lists.at(head, position)
                                .sum(
                                        RowWeights.of(
                                                query,
                                                head * shape.headDim(),
                                                keys,
                                                position + 1,
                                                shape.headDim(),
                                                scale),
                                        block))
                        .sum();
            }
            sums[layer] += sum / shape.queryHeads();
            this.rows[layer]++;
        }
    }

    /// The mean over the sampled rows and query heads of a layer; empty if none was measured.
    OptionalDouble mean(int layer) {
        return rows[layer] == 0 ? OptionalDouble.empty() : OptionalDouble.of(Math.min(1, sums[layer] / rows[layer]));
    }
}
