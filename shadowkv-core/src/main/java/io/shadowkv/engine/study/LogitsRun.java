package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;
import io.shadowkv.sampling.LogitsException;
import io.shadowkv.sampling.Sampler;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Computes the logits of given ids: reads them with prefill, then one by one with decode, and then
/// generates greedily.
public final class LogitsRun implements AutoCloseable {
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final RotaryTables tables;
    private final int prefillRows;
    private final SequenceSize size;
    private final DecodeCache decodeCache;
    private final StepBuilder steps;
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

    /// @param size size of the sequence of given and generated ids
    public LogitsRun(
            Backend backend,
            Decoder decoder,
            CacheStrategy strategy,
            RotaryTables tables,
            int prefillRows,
            SequenceSize size) {
        this.decoder = decoder;
        this.strategy = strategy;
        this.tables = tables;
        this.prefillRows = prefillRows;
        this.size = size;
        this.decodeCache = strategy.openDecode();
        this.steps = new StepBuilder(backend);
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
        close(cache);
        cache = null;
        Rotary rotary = tables.forSequence(prompt.length, size.capacityTokens());
        try (PromptCache reading = strategy.openPrompt(prompt.length, size, rotary)) {
            var prompts = List.of(new PromptRows(prompt, reading, rotary));
            decoder.prefill(prompts, prefillRows, done -> {}, allPositions, row -> {
                lastRow = row;
                sink.accept(row);
            });
            SequenceCache sealed = reading.seal();
            cache = sealed;
            decodeCache.join(0, sealed);
        }
    }

    /// Decodes the id at `position`. Reads everything again when the sequence crosses longrope's
    /// limit, as `Scheduler` does.
    private void feed(int[] ids, int position) {
        if (tables.isShort(position) && !tables.isShort(position + 1)) {
            prefill(Arrays.copyOf(ids, position + 1), false, row -> {});
            return;
        }
        SequenceCache held = cache;
        if (held == null) {
            throw new IllegalStateException("nothing was prefilled");
        }
        if (held.room() == 0) {
            decodeCache.makeRoom(0);
        }
        var built = steps.build(List.of(new StepBuilder.Input(0, held, new int[] {ids[position]}, true)));
        lastRow = decoder.decode(built.step(), decodeCache).logits(0);
    }

    private static void close(@Nullable SequenceCache held) {
        if (held != null) {
            held.close();
        }
    }

    @Override
    public void close() {
        close(cache);
        steps.close();
        decodeCache.close();
    }
}
