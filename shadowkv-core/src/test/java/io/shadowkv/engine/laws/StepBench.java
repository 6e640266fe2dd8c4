package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.batch.StepBuilder;
import io.shadowkv.engine.model.CacheStrategies;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.Prefill;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.model.StepResult;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// A decoder and a cache without a scheduler: tests feed tokens by hand and see the logits of every step.
final class StepBench implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Backend backend;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final MemoryScope tables;
    private final RotaryTables rotary;
    private final DecodeCache decodeCache;
    private final StepBuilder steps;
    private final Map<Integer, SequenceCache> sequences = new HashMap<>();
    private int deviceValueLayers;
    private List<LayerDensity> densities = List.of();

    /// @param kvType type of keys and values
    StepBench(Path folder, Backend backend, KvCacheSpec spec, DType kvType) {
        this(folder, backend, spec, new PrefillSpec.Exact(), kvType);
    }

    /// @param prefill how prompts are read
    /// @param kvType type of keys and values
    StepBench(Path folder, Backend backend, KvCacheSpec spec, PrefillSpec prefill, DType kvType) {
        this(folder, backend, spec, prefill, kvType, WeightPrecision.STORED);
    }

    /// @param precision of the weights in memory
    StepBench(
            Path folder,
            Backend backend,
            KvCacheSpec spec,
            PrefillSpec prefill,
            DType kvType,
            WeightPrecision precision) {
        this.checkpoint = Checkpoint.open(folder);
        this.backend = backend;
        this.decoder = Decoder.load(checkpoint, null, precision, backend, note -> {});
        DecoderSpec shape = decoder.spec();
        this.strategy = CacheStrategies.open(
                spec,
                prefill,
                new CacheShape(
                        shape.layers(),
                        shape.queryHeads(),
                        shape.kvHeads(),
                        shape.headDim(),
                        shape.scales().attention(),
                        kvType),
                backend);
        this.tables = backend.newScope("a test's rotary tables");
        this.rotary = new RotaryTables(shape, backend, tables);
        this.decodeCache = strategy.openDecode();
        this.steps = new StepBuilder(backend, rotary);
    }

    /// Lets sequences read from now on keep the values of so many layers in device memory.
    void placeValues(int layers) {
        deviceValueLayers = layers;
    }

    DecodeCache decodeCache() {
        return decodeCache;
    }

    /// Copies the sequence of a slot to another one.
    void copy(int from, int to) {
        SequenceCache copy = cache(from).copy();
        sequences.put(to, copy);
        decodeCache.join(to, copy);
    }

    /// Forks the sequence of a slot into another one.
    void fork(int from, int to, int newTokens) {
        SequenceCache fork = cache(from).fork(newTokens);
        sequences.put(to, fork);
        decodeCache.join(to, fork);
    }

    Backend backend() {
        return backend;
    }

    CacheStrategy strategy() {
        return strategy;
    }

    SequenceCache cache(int slot) {
        return Objects.requireNonNull(sequences.get(slot));
    }

    /// Reads a prompt into `slot`; returns the logits after its last token.
    float[] read(int slot, int[] ids, int capacity) {
        return read(slot, ids, capacity, 512);
    }

    float[] read(int slot, int[] ids, int capacity, int prefillRows) {
        LayerRotaries table = rotary.forSequence(ids.length, capacity);
        List<float[]> rows = new ArrayList<>();
        try (PromptCache prompt =
                strategy.openPrompt(ids.length, new SequenceSize(capacity, deviceValueLayers), table)) {
            PromptRows prompted = new PromptRows(ids, prompt, table, 0);
            try (Prefill prefill = decoder.openPrefill(List.of(prompted), prefillRows)) {
                while (!prefill.isDone()) {
                    prefill.advance(prefillRows);
                }
                prefill.logits(prompted, false, rows::add);
            }
            densities = prompt.densities();
            SequenceCache sealed = prompt.seal();
            sequences.put(slot, sealed);
            decodeCache.join(slot, sealed);
        }
        return rows.getFirst();
    }

    /// Rotary tables of a prompt.
    LayerRotaries rotary(int tokens) {
        return rotary.forSequence(tokens, tokens);
    }

    /// How much of each layer the last prompt computed.
    List<LayerDensity> densities() {
        return densities;
    }

    /// Reads prompts together, the first into slot 0 and so on; returns the logits after each one's last
    /// token.
    List<float[]> readTogether(List<int[]> prompts, int prefillRows) {
        List<float[]> logits = new ArrayList<>();
        List<PromptRows> rows = new ArrayList<>();
        try {
            for (int[] ids : prompts) {
                LayerRotaries table = rotary.forSequence(ids.length, ids.length);
                PromptCache cache = strategy.openPrompt(ids.length, SequenceSize.of(ids.length), table);
                rows.add(new PromptRows(ids, cache, table, 0));
            }
            try (Prefill prefill = decoder.openPrefill(rows, prefillRows)) {
                while (!prefill.isDone()) {
                    prefill.advance(prefillRows);
                }
                rows.forEach(row -> prefill.logits(row, false, logits::add));
            }
        } finally {
            rows.forEach(row -> row.cache().close());
        }
        return logits;
    }

    /// Opens a prompt, reads `units` units of it and gives it up.
    void abandonPrompt(int[] ids, int units, int prefillRows) {
        LayerRotaries table = rotary.forSequence(ids.length, ids.length);
        try (PromptCache cache = strategy.openPrompt(ids.length, SequenceSize.of(ids.length), table);
                Prefill prefill = decoder.openPrefill(List.of(new PromptRows(ids, cache, table, 0)), prefillRows)) {
            for (int i = 0; i < units; i++) {
                prefill.advance(prefillRows);
            }
        }
    }

    /// Reads further tokens of a sequence as a turn; returns the logits after the last one.
    float[] extend(int slot, int[] ids, int prefillRows) {
        List<float[]> rows = new ArrayList<>();
        try (PromptCache turn = cache(slot).extend(ids.length)) {
            PromptRows read = new PromptRows(
                    ids, turn, rotary.latest(cache(slot).rotary()), cache(slot).length());
            try (Prefill prefill = decoder.openPrefill(List.of(read), prefillRows)) {
                while (!prefill.isDone()) {
                    prefill.advance(prefillRows);
                }
                prefill.logits(read, false, rows::add);
            }
            assertThat(turn.seal()).isSameAs(cache(slot));
        }
        return rows.getFirst();
    }

    /// Reads some units of a turn, one for each layer, and then gives it up.
    void abandon(int slot, int[] ids, int units) {
        try (PromptCache turn = cache(slot).extend(ids.length)) {
            PromptRows read = new PromptRows(
                    ids, turn, rotary.latest(cache(slot).rotary()), cache(slot).length());
            try (Prefill prefill = decoder.openPrefill(List.of(read), ids.length)) {
                for (int i = 0; i < units; i++) {
                    prefill.advance(ids.length);
                }
            }
        }
    }

    /// Reads turns of several sequences together; returns the logits after the last token of each slot's turn.
    Map<Integer, float[]> extend(Map<Integer, int[]> turns, int prefillRows) {
        try (Turns together = new Turns(turns, prefillRows)) {
            while (!together.isDone()) {
                together.advance();
            }
            Map<Integer, float[]> logits = new TreeMap<>();
            turns.keySet().forEach(slot -> logits.put(slot, together.seal(slot)));
            return logits;
        }
    }

    /// Turns of several sequences that are read together, unit by unit.
    final class Turns implements AutoCloseable {
        private final Map<Integer, PromptRows> open = new TreeMap<>();
        private final Prefill prefill;
        private final int prefillRows;

        Turns(Map<Integer, int[]> turns, int prefillRows) {
            this.prefillRows = prefillRows;
            List<Integer> slots = List.copyOf(turns.keySet());
            List<PromptCache> caches = strategy.extend(slots.stream()
                    .map(slot -> new CacheStrategy.Turn(
                            StepBench.this.cache(slot), Objects.requireNonNull(turns.get(slot)).length))
                    .toList());
            for (int i = 0; i < slots.size(); i++) {
                SequenceCache base = StepBench.this.cache(slots.get(i));
                int[] ids = Objects.requireNonNull(turns.get(slots.get(i)));
                open.put(slots.get(i), new PromptRows(ids, caches.get(i), rotary.latest(base.rotary()), base.length()));
            }
            this.prefill = decoder.openPrefill(List.copyOf(open.values()), prefillRows);
        }

        boolean isDone() {
            return prefill.isDone();
        }

        /// Computes one unit.
        void advance() {
            prefill.advance(prefillRows);
        }

        PromptCache cache(int slot) {
            return Objects.requireNonNull(open.get(slot)).cache();
        }

        /// Gives one turn up.
        void drop(int slot) {
            PromptRows dropped = Objects.requireNonNull(open.remove(slot));
            prefill.drop(dropped);
            dropped.cache().close();
        }

        /// Ends one turn; returns the logits after its last token.
        float[] seal(int slot) {
            PromptRows read = Objects.requireNonNull(open.remove(slot));
            List<float[]> rows = new ArrayList<>();
            prefill.logits(read, false, rows::add);
            assertThat(read.cache().seal()).isSameAs(StepBench.this.cache(slot));
            return rows.getFirst();
        }

        @Override
        public void close() {
            prefill.close();
            open.values().forEach(turn -> turn.cache().close());
        }
    }

    /// Feeds new tokens of one sequence in as few steps as the room allows; returns the logits after the last
    /// one.
    float[] feed(int slot, int... ids) {
        float[] last = new float[0];
        for (int from = 0; from < ids.length; ) {
            makeRoomIfDue(slot);
            int count = Math.min(ids.length - from, cache(slot).room());
            int[] part = java.util.Arrays.copyOfRange(ids, from, from + count);
            last = run(build(Map.of(slot, part))).get(slot);
            from += count;
        }
        return last;
    }

    /// One step of one new token for each slot; returns the logits of each slot.
    Map<Integer, float[]> feed(Map<Integer, Integer> idOf) {
        Map<Integer, int[]> news = new TreeMap<>();
        idOf.forEach((slot, id) -> {
            makeRoomIfDue(slot);
            news.put(slot, new int[] {id});
        });
        return run(build(news));
    }

    private void makeRoomIfDue(int slot) {
        if (cache(slot).room() == 0) {
            decodeCache.makeRoom(slot);
        }
    }

    /// Indexes what can be indexed now, rather than when the recent rows are full.
    void makeRoomEarly(int slot) {
        decodeCache.makeRoom(slot);
    }

    /// Advances the caches and lays out a step, which can then be run more than once.
    StepBuilder.Built build(Map<Integer, int[]> news) {
        List<StepBuilder.Input> parts = new ArrayList<>();
        news.forEach((slot, ids) -> parts.add(new StepBuilder.Input(slot, cache(slot), ids, true)));
        return steps.build(parts);
    }

    Map<Integer, float[]> run(StepBuilder.Built built) {
        StepResult result = decoder.decode(built.step(), decodeCache);
        Map<Integer, float[]> logits = new TreeMap<>();
        for (int i = 0; i < result.size(); i++) {
            float[] row = result.logits(i);
            assertThat(result.id(i)).as("the most likely token").isEqualTo(Sampler.argmax(row));
            logits.put(built.logitSlots()[i], row);
        }
        return logits;
    }

    void leave(int slot) {
        decodeCache.leave(slot);
        Objects.requireNonNull(sequences.remove(slot)).close();
    }

    @Override
    public void close() {
        sequences.values().forEach(SequenceCache::close);
        steps.close();
        decodeCache.close();
        decoder.close();
        tables.close();
        checkpoint.close();
    }
}
