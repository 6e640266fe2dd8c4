package io.shadowkv.op.reference;

import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import java.util.stream.IntStream;

/// Attention of prompt rows to selected keys, row by row: gathers what the row reads, and attends.
final class ReferenceSelectedPrefill {
    private final Rows keys;
    private final Rows values;
    private final Rows meanKeys;
    private final Rows meanValues;
    private final SelectedKeys selected;
    private final int kvHeads;
    private final double scale;

    ReferenceSelectedPrefill(Tensor keys, Tensor values, SelectedKeys selected, double scale) {
        this.keys = Rows.of(keys);
        this.values = Rows.of(values);
        SelectedKeys.BlockMeans means = selected.means();
        this.meanKeys = means == null ? this.keys : Rows.of(means.keys());
        this.meanValues = means == null ? this.values : Rows.of(means.values());
        this.selected = selected;
        this.kvHeads = keys.extent(0);
        this.scale = scale;
    }

    void run(Tensor queries, int firstToken, Tensor out) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        int block = selected.blockTokens();
        for (int i = 0; i < queries.extent(0); i++) {
            int position = firstToken + i;
            int queryBlock = position / block - firstToken / block;
            for (int q = 0; q < queryHeads; q++) {
                int list = q / (queryHeads / selected.heads());
                int kvHead = q / (queryHeads / kvHeads);
                long at = ((long) i * queryHeads + q) * headDim;
                double[] query = Elements.read(queries, at, headDim);
                Elements.write(out, at, attend(query, kvHead, list, queryBlock, position));
            }
        }
    }

    private double[] attend(double[] query, int kvHead, int list, int queryBlock, int position) {
        int[] read = keysOf(list, queryBlock, position);
        int[] dropped = selected.means() == null ? new int[0] : droppedBlocks(list, queryBlock, position);
        double[] weights = new double[read.length + dropped.length];
        for (int n = 0; n < read.length; n++) {
            weights[n] = scale * keys.dot(query, kvHead, read[n]);
        }
        for (int n = 0; n < dropped.length; n++) {
            weights[read.length + n] =
                    scale * meanKeys.dot(query, kvHead, dropped[n]) + Math.log(selected.blockTokens());
        }
        Softmax.apply(weights);
        double[] sum = new double[query.length];
        for (int n = 0; n < read.length; n++) {
            values.add(sum, weights[n], kvHead, read[n]);
        }
        for (int n = 0; n < dropped.length; n++) {
            meanValues.add(sum, weights[read.length + n], kvHead, dropped[n]);
        }
        return sum;
    }

    private int[] keysOf(int list, int queryBlock, int position) {
        IntStream.Builder read = IntStream.builder();
        Tensor bands = selected.bands();
        int sink = bands == null ? 0 : Elements.readInt(bands, 2L * list);
        long nearest = bands == null ? SelectedKeys.NO_BAND : Elements.readInt(bands, 2L * list + 1);
        for (int n = 0; n < count(selected.blockCounts(), list, queryBlock); n++) {
            int start = entry(selected.blockStarts(), list, queryBlock, n);
            for (int j = start; j < start + selected.blockTokens(); j++) {
                if (j <= position && (j < sink || j > position - nearest)) {
                    read.add(j);
                }
            }
        }
        SelectedKeys.KeyColumns columns = selected.columns();
        int columnCount = columns == null ? 0 : count(columns.counts(), list, queryBlock);
        for (int n = 0; n < columnCount; n++) {
            int column = entry(Objects.requireNonNull(columns).entries(), list, queryBlock, n);
            if (column <= position) {
                read.add(column);
            }
        }
        return read.build().toArray();
    }

    /// Blocks of the grid before the row's own block that are not in the list.
    private int[] droppedBlocks(int list, int queryBlock, int position) {
        int block = selected.blockTokens();
        boolean[] isKept = new boolean[position / block + 1];
        for (int n = 0; n < count(selected.blockCounts(), list, queryBlock); n++) {
            isKept[entry(selected.blockStarts(), list, queryBlock, n) / block] = true;
        }
        return IntStream.range(0, position / block).filter(j -> !isKept[j]).toArray();
    }

    private int count(Tensor counts, int list, int queryBlock) {
        return Elements.readInt(counts, (long) list * selected.queryBlocks() + queryBlock);
    }

    private int entry(Tensor lists, int list, int queryBlock, int n) {
        return Elements.readInt(lists, ((long) list * selected.queryBlocks() + queryBlock) * lists.extent(2) + n);
    }

    /// Rows of all heads, widened once.
    private record Rows(double[] elements, int capacity, int headDim) {
        static Rows of(Tensor rows) {
            return new Rows(Elements.read(rows), rows.extent(1), rows.extent(2));
        }

        private int at(int head, int row) {
            return (head * capacity + Objects.checkIndex(row, capacity)) * headDim;
        }

        double dot(double[] query, int head, int row) {
            int at = at(head, row);
            double sum = 0;
            for (int e = 0; e < headDim; e++) {
                sum += query[e] * elements[at + e];
            }
            return sum;
        }

        void add(double[] sum, double weight, int head, int row) {
            int at = at(head, row);
            for (int e = 0; e < headDim; e++) {
                sum[e] += weight * elements[at + e];
            }
        }
    }
}
