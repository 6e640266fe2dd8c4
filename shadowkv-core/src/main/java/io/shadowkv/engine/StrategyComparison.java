package io.shadowkv.engine;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/// Reads prompts once, with full attention, and answers them under several strategies: prefill is exact under all of
/// them, so that only decoding need be run again. Under each strategy the prompts decode together, as many as fit.
final class StrategyComparison {
    private final EngineOptions options;
    private final Backend backend;
    private final Decoder decoder;
    private final RotaryTables tables;
    private final CacheShape shape;
    private final long weightBytes;
    private final TurnFactory turns;

    /// @param turns makes one turn of one sequence
    StrategyComparison(
            EngineOptions options,
            Backend backend,
            Decoder decoder,
            RotaryTables tables,
            CacheShape shape,
            long weightBytes,
            TurnFactory turns) {
        // The prompt's whole cache takes the memory near the arithmetic that AUTO would give to values.
        this.options = options.valuePlace() == ValuePlace.AUTO ? options.withValuePlace(ValuePlace.HOST) : options;
        this.backend = backend;
        this.decoder = decoder;
        this.tables = tables;
        this.shape = shape;
        this.weightBytes = weightBytes;
        this.turns = turns;
    }

    /// Makes one turn of one sequence.
    interface TurnFactory {
        /// @param history tokens before the turn
        /// @param held cache of those tokens; of the turn's own too where `history` is empty
        Sequence turn(Request request, int[] history, PlannedSequence planned, SequenceCache held);
    }

    /// A prompt that was read.
    ///
    /// @param first its request
    /// @param cache holds all of its keys and values; open as long as the group
    /// @param logits after its last token
    /// @param nanos reading took
    record Read(Dialogue dialogue, Request first, SequenceCache cache, float[] logits, long nanos) {
        KeyValueSource source() {
            return (KeyValueSource) cache;
        }
    }

    /// @return answers of each dialogue under each strategy
    List<List<ComparedAnswers>> run(List<Dialogue> dialogues, List<KvCacheSpec> specs, boolean measuresDivergence) {
        List<List<ComparedAnswers>> answers = new ArrayList<>();
        int from = 0;
        while (from < dialogues.size()) {
            int count = fitting(dialogues.subList(from, dialogues.size()), specs);
            answers.addAll(runTogether(dialogues.subList(from, from + count), specs, measuresDivergence));
            from += count;
        }
        return answers;
    }

    /// How many of the first dialogues fit the memory together.
    private int fitting(List<Dialogue> dialogues, List<KvCacheSpec> specs) {
        long whole = 0;
        long largest = 0;
        int count = 0;
        for (Dialogue dialogue : dialogues.subList(0, Math.min(dialogues.size(), options.maxBatch()))) {
            int capacity = dialogue.capacityTokens();
            MemoryPlan full = plan(new KvCacheSpec.Full(), capacity);
            whole += full.perSequence().resident();
            largest += specs.stream()
                    .mapToLong(spec -> nearBytes(spec, capacity))
                    .max()
                    .orElse(0);
            if (whole + largest + full.workspaceBytes() > full.availableDeviceBytes()) {
                if (count == 0) {
                    throw new MemoryPlanException(
                            "comparing strategies on %,d tokens needs %,d bytes for the prompt's whole cache and %,d for the largest other one; available are %,d. Shorten the context, or run the strategies one by one."
                                    .formatted(
                                            capacity,
                                            whole + full.workspaceBytes(),
                                            largest,
                                            full.availableDeviceBytes()));
                }
                break;
            }
            count++;
        }
        return count;
    }

    private long nearBytes(KvCacheSpec spec, int capacity) {
        MemoryPlan plan = plan(spec, capacity);
        MemoryPlan.SequenceBytes bytes = plan.perSequence();
        return bytes.resident() + (plan.hostIsDevice() ? bytes.offloaded() : 0);
    }

    private MemoryPlan plan(KvCacheSpec spec, int capacity) {
        CacheStrategy strategy = CacheStrategy.of(spec, shape, backend);
        return new Planner(options.withCache(spec), backend, decoder, strategy, tables, weightBytes).plan(capacity, 1);
    }

    private List<List<ComparedAnswers>> runTogether(
            List<Dialogue> dialogues, List<KvCacheSpec> specs, boolean measuresDivergence) {
        List<Read> prompts = new ArrayList<>();
        try {
            for (int i = 0; i < dialogues.size(); i++) {
                prompts.add(read(dialogues.get(i), i, dialogues.size()));
            }
            List<DivergenceMeter.Reference> references = null;
            List<List<ComparedAnswers>> answers = new ArrayList<>();
            dialogues.forEach(dialogue -> answers.add(new ArrayList<>()));
            for (KvCacheSpec spec : specs) {
                try (StrategyRun run = open(spec, prompts)) {
                    if (measuresDivergence && references == null) {
                        references = run.recordReferences();
                    } else if (references != null) {
                        run.measure(references);
                    }
                    List<ComparedAnswers> own = run.answer();
                    for (int i = 0; i < own.size(); i++) {
                        answers.get(i).add(own.get(i));
                    }
                }
            }
            return answers;
        } finally {
            prompts.forEach(prompt -> prompt.cache().close());
        }
    }

    private Read read(Dialogue dialogue, int index, int count) {
        CacheStrategy full = CacheStrategy.of(new KvCacheSpec.Full(), shape, backend);
        Request request = dialogue.turn(0, -1);
        int tokens = request.promptIds().length;
        int capacity = dialogue.capacityTokens();
        Rotary rotary = tables.forSequence(tokens, capacity);
        long start = System.nanoTime();
        List<float[]> logits = new ArrayList<>();
        try (PromptCache reading = full.openPrompt(tokens, SequenceSize.of(capacity), rotary)) {
            decoder.prefill(
                    List.of(new PromptRows(request.promptIds(), reading, rotary)),
                    options.prefillRows(backend),
                    done -> {
                        request.listener().reading((index + done) / count);
                        if (request.cancellation().isRequested()) {
                            throw new CancellationException("cancelled while the prompt was read");
                        }
                    },
                    false,
                    logits::add);
            return new Read(dialogue, request, reading.seal(), logits.getFirst(), System.nanoTime() - start);
        }
    }

    private StrategyRun open(KvCacheSpec spec, List<Read> prompts) {
        CacheStrategy strategy = CacheStrategy.of(spec, shape, backend);
        EngineOptions own = options.withCache(spec).withMaxBatch(prompts.size());
        Planner planner = new Planner(own, backend, decoder, strategy, tables, weightBytes);
        Scheduler scheduler = new Scheduler(own, backend, decoder, strategy, tables, planner);
        return new StrategyRun(prompts, strategy, planner, scheduler, turns);
    }
}
