package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.cache.SelectionRanking;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.batch.Batch;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.op.Backend;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/// Measures what each layer's selection holds of full attention, and proposes budgets of layers.
///
/// A text is read once with full attention, except its last tokens. These are decoded with full
/// attention, and their queries are kept. Then, layer by layer, the index scores its units for each
/// query, and full attention's probabilities say what the units with the largest scores hold
/// ([HeldMass]). One scoring serves all budgets. Nothing is trained, and decoding is not touched: the
/// queries are copied by a cache that forwards to full attention's ([QueryRecorder]).
public final class CalibrationRun {
    /// Where the parts of the work end, as shares of it.
    private static final double READ = 0.4;

    private static final double DECODED = 0.5;
    private static final double MEASURED = 0.8;

    private final LoadedModel model;
    private final EngineOptions options;
    private final Shadow spec;
    private final Backend backend;
    /// Share of the work that is left before a further run with other budgets, which takes half of it: how
    /// many there will be is not known.
    private double left;

    private CalibrationRun(LoadedModel model, EngineOptions options, Shadow spec) {
        this.model = model;
        this.options = options;
        this.spec = spec;
        this.backend = model.backend();
    }

    /// @param options with the strategy whose selection is measured: ShadowKV with the same budget in
    ///     all layers
    /// @throws IllegalArgumentException if it is another strategy
    public static CalibrationRun of(LoadedModel model, EngineOptions options) {
        if (!(options.cache() instanceof Shadow spec)) {
            throw new IllegalArgumentException("the strategy is "
                    + options.cache().name() + ", which selects nothing; calibration measures shadowkv");
        }
        if (!spec.budget().firstLayers().isEmpty()) {
            throw new IllegalArgumentException("budgets of the first layers are given, "
                    + spec.budget().firstLayers() + ", but calibration proposes them. Leave them out");
        }
        return new CalibrationRun(model, options, spec);
    }

    /// @param ids the text
    /// @param positions number of last tokens whose attention is measured
    /// @param progress receives the completed share; an exception ends the run
    /// @throws IllegalArgumentException if the text is too short to select from
    /// @throws MemoryPlanException if it does not fit the memory
    public Calibration run(int[] ids, int positions, Calibration.Goal goal, DoubleConsumer progress) {
        int tokens = ids.length - positions;
        model.limits().checkIds(ids);
        check(ids.length, tokens, positions);
        try (SequenceCache full = read(ids, tokens, progress)) {
            KeyValueSource source = (KeyValueSource) full;
            List<float[]> expected = new ArrayList<>();
            double[][] held = held(ids, tokens, full, expected, progress);
            left = 1 - MEASURED;
            BudgetSearch search = new BudgetSearch(held);
            int[] doublings = search.doublings(
                    goal,
                    some -> divergence(source, ids, tokens, some, expected, progress)
                            .meanKl());
            Divergence current = divergence(source, ids, tokens, new int[held.length], expected, progress);
            Divergence proposed = divergence(source, ids, tokens, doublings, expected, progress);
            progress.accept(1);
            return new Calibration(tokens, positions, spec, goal, layers(held, doublings, tokens), current, proposed);
        }
    }

    private void check(int all, int tokens, int positions) {
        model.limits().checkContext(all, "a text of " + all + " tokens");
        if (positions < 1 || tokens < 1) {
            throw new IllegalArgumentException(all + " tokens with " + positions
                    + " positions to measure; expected at least one position, and text before it");
        }
        if (model.rotary().isShort(tokens) && !model.rotary().isShort(all)) {
            throw new IllegalArgumentException(
                    "the text of " + all
                            + " tokens crosses the length from which the model rotates keys otherwise. Use a shorter or a longer text");
        }
        MemoryPlan full = plan(new KvCacheSpec.Full(), all);
        MemoryPlan shadow = plan(spec, all);
        MemoryPlan.SequenceBytes bytes = shadow.perSequence();
        long device =
                full.perSequence().resident() + bytes.resident() + full.workspaceBytes() + shadow.workspaceBytes();
        long needed = device + (full.hostIsDevice() ? bytes.offloaded() : 0);
        if (needed > full.availableDeviceBytes()) {
            throw new MemoryPlanException(
                    "calibration with %,d tokens needs %,d bytes, for full attention and for the index; available are %,d bytes. Use a shorter text"
                            .formatted(all, needed, full.availableDeviceBytes()));
        }
    }

    private MemoryPlan plan(KvCacheSpec cache, int capacity) {
        return new Planner(model, options.withCache(cache), model.strategy(cache, options.prefill())).plan(capacity, 1);
    }

    private SequenceCache read(int[] ids, int tokens, DoubleConsumer progress) {
        CacheStrategy full = model.strategy(new KvCacheSpec.Full(), options.prefill());
        var prompt = new Reading.Prompt(Arrays.copyOf(ids, tokens), SequenceSize.of(ids.length));
        try (Reading reading = Reading.open(model, full, List.of(prompt), options.prefillRows(backend))) {
            reading.run(done -> progress.accept(READ * done));
            return reading.seal(0);
        }
    }

    /// @param expected receives the logits of full attention after each position
    /// @return for each layer, the share that is held at the budget and at its doublings
    private double[][] held(
            int[] ids, int tokens, SequenceCache full, List<float[]> expected, DoubleConsumer progress) {
        int positions = ids.length - tokens;
        CacheShape shape = model.shape();
        CacheStrategy strategy = model.strategy(new KvCacheSpec.Full(), options.prefill());
        try (SelectionRanking ranking =
                        model.strategy(spec, options.prefill()).openRanking((KeyValueSource) full, tokens);
                QueryRecorder recorder = new QueryRecorder(strategy.openDecode(), backend, positions);
                Batch batch = new Batch(model, recorder, 1)) {
            decode(batch, full, ids, tokens, (done, row) -> {
                expected.add(row);
                recorder.next();
                progress.accept(READ + (DECODED - READ) * done);
            });
            double[][] held = new double[shape.layers()][];
            for (int layer = 0; layer < held.length; layer++) {
                Tensor keys = ((KeyValueSource) full).keys(layer);
                held[layer] = layer(layer, keys, ids.length, ranking, recorder).means();
                progress.accept(DECODED + (MEASURED - DECODED) * (layer + 1) / held.length);
            }
            return held;
        }
    }

    /// What one layer's selection holds.
    ///
    /// @param all number of tokens, those of the positions included
    private HeldMass layer(int layer, Tensor keys, int all, SelectionRanking ranking, QueryRecorder recorder) {
        CacheShape shape = model.shape();
        int positions = recorder.steps();
        float[][] queries = new float[positions][];
        float[][][] scores = new float[positions][][];
        for (int i = 0; i < positions; i++) {
            queries[i] = backend.download(recorder.queries(layer, i));
            scores[i] = ranking.scores(layer, recorder.queries(layer, i));
        }
        float[][] keysOfHeads = new float[shape.kvHeads()][];
        int[][] units = new int[shape.kvHeads()][];
        for (int head = 0; head < shape.kvHeads(); head++) {
            keysOfHeads[head] = backend.download(keys.row(head).slice(0, all));
            units[head] = ranking.unitNumbers(layer, head);
        }
        int[] budgets = budgets(ranking.units());
        List<HeldMass> masses = IntStream.range(0, shape.kvHeads())
                .parallel()
                .mapToObj(head -> {
                    HeldMass mass = new HeldMass(budgets);
                    for (int i = 0; i < positions; i++) {
                        double[] probabilities =
                                probabilities(queries[i], keysOfHeads[head], head, all - positions + i + 1);
                        mass.add(probabilities, units[head], ranking.unitTokens(), scores[i][head]);
                    }
                    return mass;
                })
                .toList();
        HeldMass sum = new HeldMass(budgets);
        masses.forEach(sum::add);
        return sum;
    }

    /// Full attention's probabilities, averaged over the query heads of a key-value head.
    ///
    /// @param queries of all query heads
    /// @param keys of one key-value head
    /// @param tokens number of tokens that are attended to
    private double[] probabilities(float[] queries, float[] keys, int head, int tokens) {
        CacheShape shape = model.shape();
        int headDim = shape.headDim();
        int group = shape.queryHeads() / shape.kvHeads();
        double[] mean = new double[tokens];
        double[] shares = new double[tokens];
        for (int of = 0; of < group; of++) {
            int query = (head * group + of) * headDim;
            double max = Double.NEGATIVE_INFINITY;
            for (int token = 0; token < tokens; token++) {
                float dot = 0;
                for (int i = 0; i < headDim; i++) {
                    dot += queries[query + i] * keys[token * headDim + i];
                }
                shares[token] = dot * shape.attentionScale();
                max = Math.max(max, shares[token]);
            }
            double sum = 0;
            for (int token = 0; token < tokens; token++) {
                shares[token] = Math.exp(shares[token] - max);
                sum += shares[token];
            }
            for (int token = 0; token < tokens; token++) {
                mean[token] += shares[token] / sum / group;
            }
        }
        return mean;
    }

    /// Selected units at the budget and at its doublings, up to all units.
    private int[] budgets(int units) {
        List<Integer> budgets = new ArrayList<>();
        for (long selected = spec.selectedUnits(); selected < units; selected *= 2) {
            budgets.add((int) selected);
        }
        budgets.add(units);
        return budgets.stream().mapToInt(Integer::intValue).toArray();
    }

    /// The divergence from full attention with given budgets, at the same positions.
    private Divergence divergence(
            KeyValueSource source,
            int[] ids,
            int tokens,
            int[] doublings,
            List<float[]> expected,
            DoubleConsumer progress) {
        Integer[] budgets = new Integer[doublings.length];
        for (int layer = 0; layer < budgets.length; layer++) {
            budgets[layer] = Math.toIntExact((long) spec.sparseBudget() << doublings[layer]);
        }
        CacheStrategy strategy = model.strategy(spec.withFirstLayers(budgets), options.prefill());
        double[] kl = new double[expected.size()];
        int[] same = {0, 0};
        try (SequenceCache sequence = strategy.openFrom(source, tokens, SequenceSize.of(ids.length));
                Batch batch = new Batch(model, strategy, 1)) {
            decode(batch, sequence, ids, tokens, (done, row) -> {
                int i = same[1]++;
                kl[i] = DivergenceMeter.kl(expected.get(i), row);
                same[0] += Sampler.argmax(expected.get(i)) == Sampler.argmax(row) ? 1 : 0;
                progress.accept(1 - left + left / 2 * done);
            });
        }
        left /= 2;
        double mean = Arrays.stream(kl).average().orElse(0);
        double max = Arrays.stream(kl).max().orElse(0);
        return new Divergence(kl.length, mean, max, (double) same[0] / kl.length);
    }

    private interface Rows {
        void accept(double done, float[] row);
    }

    private static void decode(Batch batch, SequenceCache sequence, int[] ids, int tokens, Rows rows) {
        batch.join(0, sequence);
        try {
            for (int i = tokens; i < ids.length; i++) {
                batch.makeRoom(0);
                var step = batch.step(List.of(new Batch.Input(0, new int[] {ids[i]}, true)));
                rows.accept(
                        (double) (i + 1 - tokens) / (ids.length - tokens),
                        step.rows().logits(0));
            }
        } finally {
            batch.leave(0);
        }
    }

    private List<Calibration.Layer> layers(double[][] held, int[] doublings, int tokens) {
        List<Calibration.Layer> layers = new ArrayList<>();
        for (int layer = 0; layer < held.length; layer++) {
            layers.add(new Calibration.Layer(
                    Arrays.stream(held[layer]).boxed().toList(),
                    1 << doublings[layer],
                    stepBytes(doublings[layer], tokens)));
        }
        return layers;
    }

    /// Bytes of one layer that a step reads: an entry for each unit, and the keys and values that are
    /// attended to.
    private long stepBytes(int doublings, int tokens) {
        CacheShape shape = model.shape();
        int unitTokens = spec.unitTokens();
        int local = spec.residency().localTokens();
        long units =
                (long) tokens / unitTokens - local / unitTokens - spec.index().outlierUnits();
        long selected = Math.min((long) spec.sparseBudget() << doublings, units * unitTokens);
        long index = units * shape.kvHeads() * spec.index().entryBytes(shape.headDim(), shape.kvType());
        long attended = spec.outlierTokens() + selected + local;
        return index + attended * shape.kvWidth() * 2 * shape.kvType().bytes();
    }
}
