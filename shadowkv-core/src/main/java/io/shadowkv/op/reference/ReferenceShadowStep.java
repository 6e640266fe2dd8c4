package io.shadowkv.op.reference;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ObjIntConsumer;

/// ShadowKV's decode step except the selection: scores of the landmarks, values and keys of the
/// misses.
///
/// All methods skip rows without indexed units; the slots of such rows may be empty.
final class ReferenceShadowStep {
    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        forEach(layers, rows, (layer, i) -> {
            int units = Elements.readInt(rows.units(), i);
            int heads = layer.kvHeads();
            for (int h = 0; h < heads; h++) {
                double[] best = best(queries, i, heads, h, keys(layer, h, units), scale);
                Elements.write(scores, ((long) i * heads + h) * scores.extent(2), best);
            }
        });
    }

    /// The largest probability of each unit over the queries of head h's group.
    ///
    /// @param keys the key that stands for each unit, `[units, headDim]`
    private static double[] best(Tensor queries, int i, int heads, int h, double[] keys, double scale) {
        int headDim = queries.extent(2);
        int queryHeads = queries.extent(1);
        int groupSize = queryHeads / heads;
        int units = keys.length / headDim;
        double[] best = new double[units];
        for (int g = 0; g < groupSize; g++) {
            long at = ((long) i * queryHeads + (long) h * groupSize + g) * headDim;
            double[] query = Elements.read(queries, at, headDim);
            double[] weights = new double[units];
            for (int u = 0; u < units; u++) {
                for (int e = 0; e < headDim; e++) {
                    weights[u] += query[e] * keys[u * headDim + e];
                }
                weights[u] *= scale;
            }
            Softmax.apply(weights);
            for (int u = 0; u < units; u++) {
                best[u] = Math.max(best[u], weights[u]);
            }
        }
        return best;
    }

    /// The key that stands for each of a head's units.
    private static double[] keys(IndexedLayer layer, int h, int units) {
        return switch (layer.index()) {
            case IndexedLayer.Landmarks landmarks -> {
                int headDim = layer.headDim();
                yield Elements.read(landmarks.means(), (long) h * layer.unitCapacity() * headDim, units * headDim);
            }
            case IndexedLayer.TokenCodes codes -> ReferenceTokenCodes.decode(codes, layer.headDim(), h, units);
        };
    }

    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        forEach(layers, rows, (layer, i) -> {
            for (int h = 0; h < layer.kvHeads(); h++) {
                for (Miss miss : misses(layer, h)) {
                    int number = layer.stored().extentOf(miss.token());
                    IndexedLayer.StoredValues.Extent extent = layer.stored().extent(number);
                    ReferenceValues.load(
                            extent.values(),
                            extent.scales(),
                            h,
                            miss.token() - layer.stored().firstToken(number),
                            layer.unitTokens(),
                            layer.residency().attended().values(),
                            miss.row());
                }
            }
        });
    }

    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        forEach(layers, rows, (layer, i) -> {
            for (int h = 0; h < layer.kvHeads(); h++) {
                List<Miss> misses = misses(layer, h);
                Tensor keys = layer.residency().attended().keys();
                double[][] basis = misses.isEmpty()
                        ? new double[0][]
                        : headBasis(layer.keys().basis(), keys.extent(2), h);
                for (Miss miss : misses) {
                    for (int j = 0; j < layer.unitTokens(); j++) {
                        rebuild(layer.keys().factor(), basis, miss.token() + j, rotary, keys, h, miss.row() + j);
                    }
                }
            }
        });
    }

    /// The columns of B that belong to head h, `[rank][headDim]`.
    static double[][] headBasis(Tensor basis, int headDim, int h) {
        double[][] columns = new double[basis.extent(0)][];
        for (int r = 0; r < columns.length; r++) {
            long at = (long) r * basis.extent(1) + (long) h * headDim;
            columns[r] = Elements.read(basis, at, headDim);
        }
        return columns;
    }

    /// Computes the key of `token` in head h and writes it to `row`.
    ///
    /// @param basis the columns of B that belong to head h
    static void rebuild(Tensor factor, double[][] basis, int token, Rotary rotary, Tensor keys, int h, int row) {
        int headDim = keys.extent(2);
        double[] factors = Elements.read(factor, (long) token * basis.length, basis.length);
        double[] key = new double[headDim];
        for (int r = 0; r < basis.length; r++) {
            for (int e = 0; e < headDim; e++) {
                key[e] += factors[r] * basis[r][e];
            }
        }
        new Rotation(rotary, token).forward(key, 0);
        Elements.write(keys, ((long) h * keys.extent(1) + row) * headDim, key);
    }

    /// Calls `action` with the layer and the number of every row that has an index and is not
    /// padding.
    static void forEach(SlotTable<IndexedLayer> layers, StepRows rows, ObjIntConsumer<IndexedLayer> action) {
        for (int i = 0; i < rows.count(); i++) {
            int slot = Elements.readInt(rows.slots(), i);
            if (slot >= 0 && Elements.readInt(rows.units(), i) > 0) {
                action.accept(layers.get(slot), i);
            }
        }
    }

    private static List<Miss> misses(IndexedLayer layer, int h) {
        long first = (long) h * layer.selectedUnits();
        long ids = (long) h * layer.unitCapacity();
        List<Miss> misses = new ArrayList<>();
        for (int m = 0; m < Elements.readInt(layer.residency().missCounts(), h); m++) {
            int unit = Elements.readInt(layer.residency().missUnits(), first + m);
            int slot = Elements.readInt(layer.residency().missSlots(), first + m);
            int chunk = Elements.readInt(layer.index().unitIds(), ids + unit);
            misses.add(new Miss(chunk * layer.unitTokens(), layer.residency().firstRow() + slot * layer.unitTokens()));
        }
        return misses;
    }

    /// @param token first token of the missing unit
    /// @param row first row of its slot in the attended region
    private record Miss(int token, int row) {}
}
