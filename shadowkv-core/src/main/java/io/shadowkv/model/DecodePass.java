package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.DecodeCache.Division;
import io.shadowkv.cache.DecodeCache.Wave;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Enqueues the layers of a decode step, in the order that hides what a cache fetches.
///
/// Where a cache fetches, its rows are divided ([Division]). Parts that take turns, here two, A and B, in a layer:
///
/// ```
/// computed   choose A | choose B | attend A, complete A, choose A in the next layer | attend B, ...
/// fetched              A          B                                                   A
/// ```
final class DecodePass {
    private final DecoderSpec spec;
    private final LayerForward forward;
    private final DenseOperations dense;
    private final DecodeCache cache;
    private final double scale;

    DecodePass(DecoderSpec spec, LayerForward forward, DenseOperations dense, DecodeCache cache) {
        this.spec = spec;
        this.forward = forward;
        this.dense = dense;
        this.cache = cache;
        this.scale = 1 / Math.sqrt(spec.headDim());
    }

    /// @param waves of all rows, in order
    /// @param hidden the residual stream, embedded ids first, [rows, hiddenSize]; in place
    /// @param work buffers of exactly as many rows
    void run(List<Wave> waves, Tensor hidden, Workspace work) {
        List<Rows> all = new ArrayList<>();
        int row = 0;
        for (Wave wave : waves) {
            int count = wave.rows().count();
            all.add(new Rows(wave, hidden.slice(row, count), work.slice(row, count)));
            row += count;
        }
        // A sequence's rows in several waves come one after the other in each layer: nothing to take turns with.
        Division division = waves.size() == 1 ? divide(all.getFirst(), true) : Division.NONE;
        int together = division.takesTurns() ? division.fromLayer() : spec.layers();
        for (int layer = 0; layer < together; layer++) {
            forward.project(layer, hidden, work);
            for (Rows rows : all) {
                attend(layer, rows);
            }
            forward.complete(layer, hidden, work);
        }
        if (together < spec.layers()) {
            takeTurns(together, all.getFirst().parts(division.parts()));
        }
    }

    private Division divide(Rows rows, boolean mayTakeTurns) {
        return cache.divide(rows.wave(), forward.layerBytes(), mayTakeTurns);
    }

    private void attend(int layer, Rows rows) {
        Division division = divide(rows, false);
        List<Rows> parts = layer < division.fromLayer() ? List.of(rows) : rows.parts(division.parts());
        append(layer, rows);
        parts.forEach(part -> choose(layer, part));
        parts.forEach(part -> attendChosen(layer, part));
    }

    private void takeTurns(int from, List<Rows> parts) {
        for (int layer = from; layer <= spec.layers(); layer++) {
            for (Rows part : parts) {
                if (layer > from) {
                    attendChosen(layer - 1, part);
                    forward.complete(layer - 1, part.hidden(), part.work());
                }
                if (layer < spec.layers()) {
                    forward.project(layer, part.hidden(), part.work());
                    append(layer, part);
                    choose(layer, part);
                }
            }
        }
    }

    private void append(int layer, Rows rows) {
        Workspace work = rows.work();
        Wave wave = rows.wave();
        dense.rotate(work.queries(), work.keys(), wave.rows().positions(), wave.rotary());
        cache.append(layer, work.keys(), work.values(), wave);
    }

    private void choose(int layer, Rows rows) {
        cache.choose(layer, rows.work().queries(), rows.wave());
    }

    private void attendChosen(int layer, Rows rows) {
        Workspace work = rows.work();
        cache.attend(layer, work.queries(), rows.wave(), scale, work.attended());
    }

    /// Consecutive rows of one wave, with what belongs to them.
    private record Rows(Wave wave, Tensor hidden, Workspace work) {
        List<Rows> parts(int count) {
            int rows = wave.rows().count();
            return IntStream.range(0, count)
                    .mapToObj(part -> slice(rows * part / count, rows * (part + 1) / count))
                    .toList();
        }

        private Rows slice(int from, int to) {
            return new Rows(wave.slice(from, to - from), hidden.slice(from, to - from), work.slice(from, to - from));
        }
    }
}
