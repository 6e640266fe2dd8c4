package io.shadowkv.op.reference;

import io.shadowkv.op.SamplingOperations;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/// The operations on logits, with a full sort of each row.
final class ReferenceSampling implements SamplingOperations {
    @Override
    public void topLogits(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums) {
        SamplingOperations.checkTop(logits, inverseTemperatures, values, ids, logSums);
        int width = logits.extent(1);
        double[] factors = Elements.read(inverseTemperatures);
        for (int i = 0; i < logits.extent(0); i++) {
            top(Elements.read(logits, (long) i * width, width), factors[i], i, new Candidates(values, ids, logSums));
        }
    }

    private record Candidates(Tensor values, Tensor ids, Tensor logSums) {}

    private static void top(double[] row, double factor, int i, Candidates out) {
        int k = out.values.extent(1);
        double largest = Arrays.stream(row).reduce(Double.NEGATIVE_INFINITY, Math::max); // NaN if there is one
        boolean isUsable = Double.isFinite(largest);
        double[] best = new double[k];
        Arrays.fill(best, isUsable ? Double.NEGATIVE_INFINITY : Double.NaN);
        int[] order = isUsable ? descending(row) : new int[0];
        for (int rank = 0; rank < k; rank++) {
            boolean isFilled = rank < order.length;
            Elements.writeInt(out.ids, (long) i * k + rank, isFilled ? order[rank] : -1);
            best[rank] = isFilled ? row[order[rank]] + 0.0 : best[rank];
        }
        Elements.write(out.values, (long) i * k, best);
        double[] sums = isUsable
                ? new double[] {logSum(row, largest, 1), logSum(row, largest, factor)}
                : new double[] {Double.NaN, Double.NaN};
        Elements.write(out.logSums, 2L * i, sums);
    }

    /// Ids by descending logit, without those of -infinity; lower ids come first among equals.
    private static int[] descending(double[] row) {
        return IntStream.range(0, row.length)
                .filter(id -> row[id] != Double.NEGATIVE_INFINITY)
                .mapToLong(id -> (long) ordered(-(float) (row[id] + 0.0)) << Integer.SIZE | id)
                .sorted()
                .mapToInt(key -> (int) key)
                .toArray();
    }

    /// An integer for each float, in the same order.
    private static int ordered(float value) {
        int bits = Float.floatToRawIntBits(value);
        return bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
    }

    private static double logSum(double[] row, double largest, double factor) {
        double sum = 0;
        for (double logit : row) {
            sum += logit == Double.NEGATIVE_INFINITY ? 0 : Math.exp((logit - largest) * factor);
        }
        return Math.log(sum);
    }

    @Override
    public void adjustLogits(Tensor logits, Tensor places, Tensor changes) {
        SamplingOperations.checkAdjust(logits, places, changes);
        int width = logits.extent(1);
        int[] at = Elements.readInts(places);
        double[] by = Elements.read(changes);
        for (int e = 0; e < places.extent(0); e++) {
            if (at[2 * e] < 0) {
                continue;
            }
            long index = (long) at[2 * e] * width + at[2 * e + 1];
            double logit = Elements.read(logits, index, 1)[0];
            float penalized = (float) (logit > 0 ? logit / by[2 * e] : logit * by[2 * e]);
            Elements.write(logits, index, new double[] {penalized + by[2 * e + 1]});
        }
    }

    @Override
    public void maskLogits(Tensor logits, Tensor bits, Tensor masked) {
        SamplingOperations.checkMask(logits, bits, masked);
        int width = logits.extent(1);
        int words = bits.extent(1);
        for (int i = 0; i < logits.extent(0); i++) {
            for (int j = 0; Elements.readInt(masked, i) != 0 && j < width; j++) {
                if ((Elements.readInt(bits, (long) i * words + j / Integer.SIZE) >> j % Integer.SIZE & 1) == 0) {
                    Elements.write(logits, (long) i * width + j, new double[] {Double.NEGATIVE_INFINITY});
                }
            }
        }
    }
}
