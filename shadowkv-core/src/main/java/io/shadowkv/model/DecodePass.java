package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.DecodeCache.Fetches;
import io.shadowkv.cache.DecodeCache.Wave;
import io.shadowkv.model.FetchSchedule.Microbatches;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// Enqueues the layers of a decode step, in the order that hides what a cache fetches.
///
/// Where a cache fetches, the rows are split into microbatches ([FetchSchedule]). Two that alternate, A and B, in a
/// layer:
///
/// ```
/// computed   choose A | choose B | attend A, complete A, choose A in the next layer | attend B, ...
/// fetched              A          B                                                   A
/// ```
final class DecodePass {
    private final DecoderSpec spec;
    private final LayerForward forward;
    private final FetchSchedule schedule;
    private final DecodeCache cache;
    private final double scale;

    DecodePass(DecoderSpec spec, LayerForward forward, FetchSchedule schedule, DecodeCache cache) {
        this.spec = spec;
        this.forward = forward;
        this.schedule = schedule;
        this.cache = cache;
        this.scale = spec.scales().attention();
    }

    /// @param waves of all rows, in order
    /// @param hidden the residual stream, embedded ids first, [rows, hiddenSize]; in place
    /// @param work buffers of exactly as many rows
    /// @param fetches what the prepared step reads over the link
    void run(List<Wave> waves, Tensor hidden, Workspace work, Fetches fetches) {
        List<Rows> all = new ArrayList<>();
        int row = 0;
        for (Wave wave : waves) {
            int count = wave.rows().count();
            all.add(new Rows(wave, hidden.slice(row, count), work.slice(row, count)));
            row += count;
        }
        // A sequence's rows in several waves come one after the other in each layer: nothing to alternate with.
        Microbatches split = waves.size() == 1 ? schedule.split(waves.getFirst(), fetches, true) : Microbatches.NONE;
        int together = split.alternate() ? split.fromLayer() : spec.layers();
        for (int layer = 0; layer < together; layer++) {
            forward.project(layer, hidden, work);
            for (Rows rows : all) {
                attend(layer, rows, fetches);
            }
            forward.complete(layer, hidden, work);
        }
        if (together < spec.layers()) {
            alternate(together, all.getFirst().split(split.count()));
        }
    }

    private void attend(int layer, Rows rows, Fetches fetches) {
        Microbatches split = schedule.split(rows.wave(), fetches, false);
        List<Rows> microbatches = layer < split.fromLayer() ? List.of(rows) : rows.split(split.count());
        append(layer, rows);
        microbatches.forEach(some -> choose(layer, some));
        microbatches.forEach(some -> attendChosen(layer, some));
    }

    private void alternate(int from, List<Rows> microbatches) {
        for (int layer = from; layer <= spec.layers(); layer++) {
            for (Rows rows : microbatches) {
                if (layer > from) {
                    attendChosen(layer - 1, rows);
                    forward.complete(layer - 1, rows.hidden(), rows.work());
                }
                if (layer < spec.layers()) {
                    forward.project(layer, rows.hidden(), rows.work());
                    append(layer, rows);
                    choose(layer, rows);
                }
            }
        }
    }

    private void append(int layer, Rows rows) {
        Workspace work = rows.work();
        Wave wave = rows.wave();
        forward.rotate(layer, work.queries(), work.keys(), wave.rows().positions(), wave.rotary());
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
        List<Rows> split(int count) {
            int rows = wave.rows().count();
            return IntStream.range(0, count)
                    .mapToObj(i -> slice(rows * i / count, rows * (i + 1) / count))
                    .toList();
        }

        private Rows slice(int from, int to) {
            return new Rows(wave.slice(from, to - from), hidden.slice(from, to - from), work.slice(from, to - from));
        }
    }
}
