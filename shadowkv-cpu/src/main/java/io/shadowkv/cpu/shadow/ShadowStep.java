package io.shadowkv.cpu.shadow;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.shadowkv.cpu.attention.KeyTile;
import io.shadowkv.cpu.vector.DotTile;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.HeadRows;
import io.shadowkv.cpu.vector.Rotation;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.Selection;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.host.ForcedHits;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// ShadowKV's decode step; each combination of sequence and key-value head is a task.
final class ShadowStep {
    private final WorkerPool pool;

    ShadowStep(WorkerPool pool) {
        this.pool = pool;
    }

    void score(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        var source = new FloatRows(queries);
        var target = new FloatRows(scores);
        float factor = (float) (scale / Math.log(2));
        eachHead(layers, rows, (layer, row, head, scratch) -> {
            int heads = layer.kvHeads();
            int headDim = layer.headDim();
            int groupSize = queries.extent(1) / heads;
            long at = ((long) row.index * heads + head) * groupSize * headDim;
            float[] query = KeyTile.queries(source, at, groupSize, headDim, factor, scratch);
            KeyTile.Scores all = dots(layer, row, head, query, groupSize, scratch);
            float[] best = scratch.floats(Use.SUMS, row.units);
            GroupScores.best(all, groupSize, row.units, best);
            target.store(best, 0, ((long) row.index * heads + head) * scores.extent(2), row.units);
        });
    }

    /// The products of a group's queries with the entries of the units.
    private static KeyTile.Scores dots(
            IndexedLayer layer, Row row, int head, float[] query, int groupSize, Scratch scratch) {
        int headDim = layer.headDim();
        switch (layer.index()) {
            case IndexedLayer.Landmarks landmarks -> {
                var all = new KeyTile.Scores(scratch.floats(Use.SCORES, groupSize * row.units), row.units);
                long first = (long) head * layer.unitCapacity();
                var units = List.of(new KeyTile.Span(0, row.units));
                new KeyTile(new FloatRows(landmarks.means()), headDim, scratch)
                        .score(first, units, query, groupSize, all);
                return all;
            }
            case IndexedLayer.TokenCodes codes -> {
                int stride = CodeScores.stride(row.units);
                var all = new KeyTile.Scores(scratch.floats(Use.SCORES, groupSize * stride), stride);
                new CodeScores(codes, head, scratch)
                        .score(query, DotTile.padded(headDim), headDim, groupSize, row.units, all, scratch);
                return all;
            }
        }
    }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        var source = new FloatRows(scores);
        int capacity = scores.extent(2);
        eachHead(layers, rows, (layer, row, head, scratch) -> {
            int heads = layer.kvHeads();
            float[] values = scratch.floats(Use.SCORES, row.units);
            source.load(((long) row.index * heads + head) * capacity, values, 0, row.units);
            int selected = Math.min(row.units, layer.selectedUnits());
            new ResidentSlots(layer, head).settle(Selection.largest(values, row.units, selected));
        });
        for (Row row : indexed(layers, rows)) {
            count(row.layer, row.units);
        }
    }

    /// Adds this step's selected units and misses to the layer's totals.
    private static void count(IndexedLayer layer, int units) {
        int heads = layer.kvHeads();
        MemorySegment missCounts = layer.residency().missCounts().segment();
        long misses = 0;
        for (int h = 0; h < heads; h++) {
            misses += missCounts.get(JAVA_INT_UNALIGNED, (long) h * Integer.BYTES);
        }
        MemorySegment totals = layer.residency().counters().segment();
        long selected = (long) heads * Math.min(units, layer.selectedUnits());
        totals.set(JAVA_LONG_UNALIGNED, 0, totals.get(JAVA_LONG_UNALIGNED, 0) + selected);
        totals.set(JAVA_LONG_UNALIGNED, Long.BYTES, totals.get(JAVA_LONG_UNALIGNED, Long.BYTES) + misses);
    }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        var target = new FloatRows(scores);
        eachHead(layers, rows, (layer, row, head, scratch) -> {
            float[] forced = scratch.floats(Use.SCORES, row.units);
            int base = ForcedHits.base(layer.residency().counters().segment().get(JAVA_LONG_UNALIGNED, 0), head);
            for (int u = 0; u < row.units; u++) {
                forced[u] = ForcedHits.unitScore(base, u);
            }
            new ResidentSlots(layer, head).force(forced, base, hitRate);
            int heads = layer.kvHeads();
            target.store(forced, 0, ((long) row.index * heads + head) * scores.extent(2), row.units);
        });
    }

    void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        eachHead(layers, rows, (layer, row, head, scratch) -> {
            var misses = new Misses(layer, head);
            IndexedLayer.StoredValues stored = layer.stored();
            Tensor target = layer.residency().attended().values();
            @Nullable ExtentRows[] extents = new ExtentRows[1 + stored.further().size()];
            for (int i = 0; i < misses.count(); i++) {
                int number = stored.extentOf(misses.token(i));
                ExtentRows rowsOfExtent = extents[number];
                if (rowsOfExtent == null) {
                    rowsOfExtent = ExtentRows.of(stored.extent(number), target);
                    extents[number] = rowsOfExtent;
                }
                int from = misses.token(i) - stored.firstToken(number);
                rowsOfExtent.copy(head, from, misses.row(i), layer.unitTokens(), scratch);
            }
        });
    }

    /// Copies stored values of one extent to attended rows.
    private interface ExtentRows {
        void copy(int head, int from, int to, int count, Scratch scratch);

        static ExtentRows of(IndexedLayer.StoredValues.Extent extent, Tensor target) {
            Tensor scales = extent.scales();
            if (scales == null) {
                return new HeadRows(extent.values(), target)::copy;
            }
            var codes = new ValueCoder(extent.values(), scales);
            return (head, from, to, count, scratch) -> codes.decode(head, from, count, target, to, scratch);
        }
    }

    void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        var rotation = new Rotation(rotary);
        eachHead(layers, rows, (layer, row, head, scratch) -> {
            Misses misses = new Misses(layer, head);
            Tensor keys = layer.residency().attended().keys();
            new KeyRebuild(layer.keys().factor(), layer.keys().basis(), keys, head, rotation)
                    .run(misses.count() * layer.unitTokens(), misses.tokens(), scratch);
        });
    }

    private void eachHead(SlotTable<IndexedLayer> layers, StepRows rows, HeadTask task) {
        List<Row> indexed = indexed(layers, rows);
        if (indexed.isEmpty()) {
            return;
        }
        int heads = indexed.getFirst().layer.kvHeads();
        pool.each(indexed.size() * heads, (i, scratch) -> {
            Row row = indexed.get(i / heads);
            task.run(row.layer, row, i % heads, scratch);
        });
    }

    /// The rows that have an index and are not padding.
    private static List<Row> indexed(SlotTable<IndexedLayer> layers, StepRows rows) {
        int[] slots = rows.slots().segment().toArray(JAVA_INT_UNALIGNED);
        int[] units = rows.units().segment().toArray(JAVA_INT_UNALIGNED);
        var indexed = new ArrayList<Row>();
        for (int i = 0; i < rows.count(); i++) {
            if (slots[i] >= 0 && units[i] > 0) {
                indexed.add(new Row(i, units[i], layers.get(slots[i])));
            }
        }
        return indexed;
    }

    private record Row(int index, int units, IndexedLayer layer) {}

    private interface HeadTask {
        void run(IndexedLayer layer, Row row, int head, Scratch scratch);
    }
}
