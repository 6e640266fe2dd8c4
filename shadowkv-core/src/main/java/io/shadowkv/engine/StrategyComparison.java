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
import org.jspecify.annotations.Nullable;

/// Answers prompts under several strategies, as many prompts together as fit.
///
/// Prefill is exact under all strategies, so a prompt is read once, with full attention, and only decoding is run
/// again. Where there is but one strategy, or the memory does not hold a prompt's whole cache beside another one,
/// each strategy reads for itself.
final class StrategyComparison {
    private final EngineOptions options;
    private final EngineOptions sharing;
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
        this.options = options;
        // The prompt's whole cache takes the memory near the arithmetic that AUTO would give to values.
        this.sharing = options.valuePlace() == ValuePlace.AUTO ? options.withValuePlace(ValuePlace.HOST) : options;
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
        /// @param held cache of those tokens, of the turn's own too where `history` is empty; null if nothing
        ///     was read
        Sequence turn(Request request, int[] history, PlannedSequence planned, @Nullable SequenceCache held);
    }

    /// A prompt, and what is known of it if it was read for all strategies.
    ///
    /// @param first its request
    record Prompt(
            Dialogue dialogue, Request first, @Nullable Prefilled prefilled) {}

    /// A prompt that was read.
    ///
    /// @param cache holds all of its keys and values; open as long as the group
    /// @param logits after its last token
    /// @param nanos reading took
    record Prefilled(SequenceCache cache, float[] logits, long nanos) {
        KeyValueSource source() {
            return (KeyValueSource) cache;
        }
    }

    /// @return answers of each dialogue under each strategy
    List<List<ComparedAnswers>> run(List<Dialogue> dialogues, List<KvCacheSpec> specs, boolean measuresDivergence) {
        List<List<ComparedAnswers>> answers = new ArrayList<>();
        int from = 0;
        while (from < dialogues.size()) {
            List<Dialogue> rest = dialogues.subList(from, Math.min(dialogues.size(), from + options.maxBatch()));
            boolean needsNoSharing = specs.size() == 1 && rest.stream().noneMatch(Dialogue::sharesPrompt);
            int together = needsNoSharing ? 0 : fitting(rest, specs);
            // The scheduler lets what does not fit wait; a dialogue that does not fit here is asked by itself.
            int count = together > 0 ? together : needsNoSharing ? rest.size() : 1;
            answers.addAll(answer(rest.subList(0, count), specs, measuresDivergence, together > 0));
            from += count;
        }
        return answers;
    }

    /// How many of the first dialogues fit the memory together, whole caches of their prompts included.
    private int fitting(List<Dialogue> dialogues, List<KvCacheSpec> specs) {
        long bytes = 0;
        int count = 0;
        for (Dialogue dialogue : dialogues) {
            int capacity = dialogue.capacityTokens();
            MemoryPlan full = plan(new KvCacheSpec.Full(), capacity);
            bytes += full.perSequence().resident();
            bytes += specs.stream()
                    .mapToLong(spec -> nearBytes(spec, capacity))
                    .max()
                    .orElse(0);
            if (bytes + full.workspaceBytes() > full.availableDeviceBytes()) {
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
        return new Planner(sharing.withCache(spec), backend, decoder, strategy, tables, weightBytes).plan(capacity, 1);
    }

    private List<List<ComparedAnswers>> answer(
            List<Dialogue> dialogues, List<KvCacheSpec> specs, boolean measuresDivergence, boolean readsOnce) {
        List<Prompt> prompts = new ArrayList<>();
        try {
            for (int i = 0; i < dialogues.size(); i++) {
                Dialogue dialogue = dialogues.get(i);
                Request first = dialogue.turn(0, -1);
                Prefilled read = readsOnce ? read(dialogue, first, i, dialogues.size()) : null;
                prompts.add(new Prompt(dialogue, first, read));
            }
            List<DivergenceMeter.Reference> references = null;
            List<List<ComparedAnswers>> answers = new ArrayList<>();
            dialogues.forEach(dialogue -> answers.add(new ArrayList<>()));
            for (KvCacheSpec spec : specs) {
                try (StrategyRun run = open(spec, prompts, readsOnce ? sharing : options)) {
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
            for (Prompt prompt : prompts) {
                if (prompt.prefilled() != null) {
                    prompt.prefilled().cache().close();
                }
            }
        }
    }

    private Prefilled read(Dialogue dialogue, Request request, int index, int count) {
        CacheStrategy full = CacheStrategy.of(new KvCacheSpec.Full(), shape, backend);
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
            return new Prefilled(reading.seal(), logits.getFirst(), System.nanoTime() - start);
        }
    }

    private StrategyRun open(KvCacheSpec spec, List<Prompt> prompts, EngineOptions common) {
        CacheStrategy strategy = CacheStrategy.of(spec, shape, backend);
        EngineOptions own = common.withCache(spec).withMaxBatch(prompts.size());
        Planner planner = new Planner(own, backend, decoder, strategy, tables, weightBytes);
        Scheduler scheduler = new Scheduler(own, backend, decoder, strategy, tables, planner);
        return new StrategyRun(prompts, strategy, planner, scheduler, turns);
    }
}
