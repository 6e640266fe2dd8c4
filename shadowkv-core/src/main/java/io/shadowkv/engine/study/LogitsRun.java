package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.batch.Batch;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.sampling.LogitsException;
import io.shadowkv.sampling.Sampler;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Computes the logits of given ids: reads them with prefill, then one by one with decode, and then
/// generates greedily.
public final class LogitsRun implements AutoCloseable {
    private final LoadedModel model;
    private final CacheStrategy strategy;
    private final int prefillRows;
    private final SequenceSize size;
    private final Batch batch;
    private @Nullable SequenceCache cache;
    private float[] lastRow = new float[0];

    /// @throws IllegalArgumentException if there is nothing to compute, or `prefillTokens` is out
    ///     of range
    public static void check(int[] ids, int prefillTokens, int generate) {
        if (ids.length == 0 || prefillTokens < 1 || prefillTokens > ids.length || generate < 0) {
            throw new IllegalArgumentException(
                    ids.length + " ids, " + prefillTokens + " of them by prefill, " + generate
                            + " to generate; expected at least one id, 1 to all of them by prefill, and 0 or more to generate");
        }
    }

    /// @param prefillRows maximum number of rows that prefill computes at a time
    /// @param size size of the sequence of given and generated ids
    public LogitsRun(LoadedModel model, CacheStrategy strategy, int prefillRows, SequenceSize size) {
        this.model = model;
        this.strategy = strategy;
        this.prefillRows = prefillRows;
        this.size = size;
        this.batch = new Batch(model, strategy, 1);
    }

    /// See `Engine.logits`.
    public int[] run(int[] given, int prefillTokens, boolean allPositions, Consumer<float[]> sink) {
        int capacity = size.capacityTokens();
        Consumer<float[]> checked = new CheckedRows(allPositions ? 0 : given.length - 1, sink);
        Consumer<float[]> each = allPositions ? checked : row -> {};
        int[] ids = Arrays.copyOf(given, capacity);
        prefill(Arrays.copyOf(ids, prefillTokens), allPositions, each);
        for (int position = prefillTokens; position < given.length; position++) {
            feed(ids, position);
            each.accept(lastRow);
        }
        if (!allPositions) {
            checked.accept(lastRow);
        }
        for (int position = given.length; position < capacity; position++) {
            ids[position] = Sampler.argmax(lastRow);
            if (position < capacity - 1) {
                feed(ids, position);
            }
        }
        return Arrays.copyOfRange(ids, given.length, capacity);
    }

    /// Checks rows of logits and forwards them.
    private static final class CheckedRows implements Consumer<float[]> {
        private final Consumer<float[]> sink;
        private int position;

        /// @param position position of the first row
        CheckedRows(int position, Consumer<float[]> sink) {
            this.position = position;
            this.sink = sink;
        }

        @Override
        public void accept(float[] row) {
            try {
                Sampler.argmax(row);
            } catch (LogitsException e) {
                throw new LogitsException("position " + position + ": " + e.getMessage(), e);
            }
            position++;
            sink.accept(row);
        }
    }

    private void prefill(int[] prompt, boolean allPositions, Consumer<float[]> sink) {
        dropCache();
        var prompts = List.of(new Reading.Prompt(prompt, size));
        try (Reading reading = Reading.open(model, strategy, prompts, prefillRows)) {
            reading.run(done -> {});
            if (allPositions) {
                reading.allLogits(0, row -> {
                    lastRow = row;
                    sink.accept(row);
                });
            } else {
                lastRow = reading.logits(0);
                sink.accept(lastRow);
            }
            SequenceCache sealed = reading.seal(0);
            cache = sealed;
            batch.join(0, sealed);
        }
    }

    /// Decodes the id at `position`. Reads everything again when the sequence crosses longrope's
    /// limit, as `Scheduler` does.
    private void feed(int[] ids, int position) {
        if (model.rotary().isShort(position) && !model.rotary().isShort(position + 1)) {
            prefill(Arrays.copyOf(ids, position + 1), false, row -> {});
            return;
        }
        batch.makeRoom(0);
        lastRow = batch.step(List.of(new Batch.Input(0, new int[] {ids[position]}, true)))
                .rows()
                .logits(0);
    }

    private void dropCache() {
        SequenceCache held = cache;
        if (held != null) {
            batch.leave(0);
            held.close();
            cache = null;
        }
    }

    @Override
    public void close() {
        dropCache();
        batch.close();
    }
}
