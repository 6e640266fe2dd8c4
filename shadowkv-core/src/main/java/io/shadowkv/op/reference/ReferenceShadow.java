package io.shadowkv.op.reference;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// ShadowKV's operations at the end of prefill, written as their formulas. [ReferenceSelection] and
/// [ReferenceShadowStep] implement the decode step.
final class ReferenceShadow implements ShadowOperations {
    private final ReferenceShadowStep step = new ReferenceShadowStep();
    private final ReferenceSelection selection = new ReferenceSelection();

    @Override
    public void accumulateGram(Tensor keys, Tensor gram) {
        int tokens = keys.extent(0);
        int width = keys.extent(1);
        double[] all = Elements.read(keys);
        double[] sums = Elements.read(gram);
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < width; i++) {
                double factor = all[t * width + i];
                for (int j = 0; j < width; j++) {
                    sums[i * width + j] += factor * all[t * width + j];
                }
            }
        }
        Elements.write(gram, 0, sums);
    }

    @Override
    public void topEigenvectors(Tensor gram, Tensor basis) {
        int width = gram.extent(0);
        double[][] matrix = new double[width][];
        for (int i = 0; i < width; i++) {
            matrix[i] = Elements.read(gram, (long) i * width, width);
        }
        var eigen = new SymmetricEigen(matrix);
        int[] order = eigen.descending();
        for (int i = 0; i < basis.extent(0); i++) {
            double[] row = i < width ? eigen.vector(order[i]) : new double[width];
            Elements.write(basis, (long) i * width, row);
        }
    }

    @Override
    public void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) {
        int units = landmarks.extent(1);
        int headDim = landmarks.extent(2);
        int first = Math.multiplyExact(firstUnit, unitTokens);
        Objects.checkFromIndexSize(first, units * unitTokens, keys.extent(1));
        for (int h = 0; h < landmarks.extent(0); h++) {
            for (int u = 0; u < units; u++) {
                long row = (long) h * keys.extent(1) + first + (long) u * unitTokens;
                double[] members = Elements.read(keys, row * headDim, unitTokens * headDim);
                double[] mean = mean(members, unitTokens, headDim);
                long at = (long) h * units + u;
                Elements.write(landmarks, at * headDim, mean);
                Elements.write(minCosines, at, new double[] {minCosine(members, mean, unitTokens)});
            }
        }
    }

    private static double[] mean(double[] members, int count, int headDim) {
        double[] mean = new double[headDim];
        for (int i = 0; i < members.length; i++) {
            mean[i % headDim] += members[i] / count;
        }
        return mean;
    }

    private static double minCosine(double[] members, double[] mean, int count) {
        double least = Double.POSITIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            double dot = 0;
            double memberSquares = 0;
            double meanSquares = 0;
            for (int e = 0; e < mean.length; e++) {
                double value = members[j * mean.length + e];
                dot += value * mean[e];
                memberSquares += value * value;
                meanSquares += mean[e] * mean[e];
            }
            double lengths = Math.sqrt(memberSquares) * Math.sqrt(meanSquares);
            least = Math.min(least, lengths == 0 ? 0 : dot / lengths);
        }
        return least;
    }

    @Override
    public void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) {
        int units = minCosines.extent(1);
        int count = outliers.extent(1);
        for (int h = 0; h < minCosines.extent(0); h++) {
            double[] cosines = Elements.read(minCosines, (long) h * units, units);
            int[] order = IntStream.range(0, units)
                    .boxed()
                    .sorted(Comparator.comparingDouble(u -> cosines[u]))
                    .mapToInt(Integer::intValue)
                    .toArray();
            writeAscending(outliers, h, Arrays.copyOfRange(order, 0, count));
            writeAscending(others, h, Arrays.copyOfRange(order, count, units));
        }
    }

    private static void writeAscending(Tensor target, int h, int[] units) {
        Arrays.sort(units);
        for (int i = 0; i < units.length; i++) {
            Elements.writeInt(target, (long) h * units.length + i, units[i]);
        }
    }

    @Override
    public void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) {
        int count = units.extent(1);
        for (int h = 0; h < units.extent(0); h++) {
            for (int i = 0; i < count; i++) {
                int unit = Elements.readInt(units, (long) h * count + i);
                copyHeadRows(source, h, unit * unitTokens, unitTokens, target, targetRow + i * unitTokens);
            }
        }
    }

    @Override
    public void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target) {
        int count = units.extent(1);
        for (int h = 0; h < units.extent(0); h++) {
            for (int i = 0; i < count; i++) {
                int unit = Elements.readInt(units, (long) h * count + i);
                copyHeadRows(source, h, sourceRow + i * unitTokens, unitTokens, target, unit * unitTokens);
            }
        }
    }

    @Override
    public void copyRows(Tensor source, int from, int count, Tensor target, int to) {
        for (int h = 0; h < source.extent(0); h++) {
            copyHeadRows(source, h, from, count, target, to);
        }
    }

    /// Reads all rows before it writes the first, so that source and target may overlap.
    static void copyHeadRows(Tensor source, int h, int from, int count, Tensor target, int to) {
        int headDim = source.extent(2);
        Objects.checkFromIndexSize(from, count, source.extent(1));
        Objects.checkFromIndexSize(to, count, target.extent(1));
        long sourceRow = (long) h * source.extent(1) + from;
        long targetRow = (long) h * target.extent(1) + to;
        Elements.write(target, targetRow * headDim, Elements.read(source, sourceRow * headDim, count * headDim));
    }

    @Override
    public void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) {
        int headDim = keys.extent(2);
        int heads = keys.extent(0);
        Objects.checkFromIndexSize(from, count, keys.extent(1));
        for (int i = 0; i < count; i++) {
            var rotation = new Rotation(rotary, firstPosition + i);
            for (int h = 0; h < heads; h++) {
                long row = (long) h * keys.extent(1) + from + i;
                double[] key = Elements.read(keys, row * headDim, headDim);
                rotation.back(key, 0);
                Elements.write(plain, ((long) i * heads + h) * headDim, key);
            }
        }
    }

    @Override
    public void meanKeys(Tensor keys, int count, Tensor means) {
        ReferenceTokenCodes.means(keys, count, means);
    }

    @Override
    public void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to) {
        ReferenceTokenCodes.encode(keys, from, count, means, codes, scales, to);
    }

    @Override
    public void scoreUnits(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        step.score(queries, layers, rows, scale, scores);
    }

    @Override
    public void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        selection.select(scores, layers, rows);
    }

    @Override
    public void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        selection.forceHits(scores, layers, rows, hitRate);
    }

    @Override
    public void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) {
        if (scales == null) {
            copyRows(source, from, count, values, to);
        } else {
            ReferenceValues.store(source, from, count, values, scales, to);
        }
    }

    @Override
    public void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to) {
        for (int h = 0; h < values.extent(0); h++) {
            ReferenceValues.load(values, scales, h, 0, count, target, to);
        }
    }

    @Override
    public void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys) {
        for (int h = 0; h < keys.extent(0); h++) {
            double[][] columns = ReferenceShadowStep.headBasis(basis, keys.extent(2), h);
            for (int t = 0; t < count; t++) {
                ReferenceShadowStep.rebuild(factor, columns, t, rotary, keys, h, t);
            }
        }
    }

    @Override
    public void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        step.fetchValues(layers, rows);
    }

    @Override
    public void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        step.rebuildKeys(layers, rows, rotary);
    }
}
