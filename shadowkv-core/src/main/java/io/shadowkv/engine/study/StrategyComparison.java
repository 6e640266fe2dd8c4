package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.model.LoadedModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Answers prompts under several strategies, as many prompts together as fit the memory.
///
/// Strategies that read alike share the reading: a prompt is read once for them, all keys and values
/// are kept, and only decode is repeated. If there is only one strategy, or if the memory cannot hold a
/// prompt's full cache in addition to the strategy's cache, each strategy reads the prompt itself.
public final class StrategyComparison {
    /// Share of the heap for the logits of references. A row for a vocabulary of 128K tokens takes
    /// half a megabyte; 32 answers of 128 tokens take 2 GB.
    private static final int HEAP_PER_REFERENCES = 4;

    private final EngineOptions options;
    private final EngineOptions sharing;
    private final LoadedModel model;
    private final TurnFactory turns;

    /// @param options options of every strategy, except its cache and its prefill
    public StrategyComparison(LoadedModel model, EngineOptions options) {
        this.model = model;
        this.options = options;
        // The prompt's full cache takes the device memory that AUTO would use for values.
        this.sharing = options.valuePlace() == ValuePlace.AUTO ? options.withValuePlace(ValuePlace.HOST) : options;
        this.turns = new TurnFactory(model);
    }

    /// A prompt, with the result of its prefill if it was read once for all strategies.
    ///
    /// @param first request of the first turn
    record Prompt(
            Dialogue dialogue, Request first, @Nullable Prefilled prefilled) {}

    /// The result of the prefill of a prompt.
    ///
    /// @param cache all keys and values of the prompt; open as long as its group runs
    /// @param logits logits after the last token
    /// @param nanos time of the prefill
    /// @param densities how much of each layer was computed; empty for all
    record Prefilled(SequenceCache cache, float[] logits, long nanos, List<LayerDensity> densities) {
        KeyValueSource source() {
            return (KeyValueSource) cache;
        }
    }

    private void check(List<Dialogue> dialogues, List<ComparedStrategy> specs, boolean measuresDivergence) {
        for (Dialogue dialogue : dialogues) {
            turns.model()
                    .limits()
                    .checkContext(dialogue.capacityTokens(), "a dialogue of " + dialogue.capacityTokens() + " tokens");
        }
        if (measuresDivergence && !specs.getFirst().isFull()) {
            throw new IllegalArgumentException("divergence is measured from full attention, but the first strategy is "
                    + specs.getFirst().label() + ". Put full attention first");
        }
    }

    /// @return the answers of each dialogue under each strategy
    /// @throws io.shadowkv.engine.ContextLengthException if a dialogue's capacity exceeds the context
    /// @throws IllegalArgumentException if divergence is measured and full attention is not the first strategy
    public List<List<ComparedAnswers>> run(
            List<Dialogue> dialogues, List<ComparedStrategy> specs, boolean measuresDivergence) {
        check(dialogues, specs, measuresDivergence);
        List<List<ComparedAnswers>> answers = new ArrayList<>();
        // With full attention alone there is no divergence to measure.
        boolean measures = measuresDivergence && specs.size() > 1;
        int from = 0;
        while (from < dialogues.size()) {
            List<Dialogue> rest = dialogues.subList(from, Math.min(dialogues.size(), from + options.maxBatch()));
            if (measures) {
                long heap = Runtime.getRuntime().maxMemory() / HEAP_PER_REFERENCES;
                rest = rest.subList(0, measurable(rest, model.decoder().spec().vocabularySize(), heap));
            }
            boolean profits = specs.size() > 1 || rest.stream().anyMatch(Dialogue::sharesPrompt);
            int together = fitting(rest, specs, profits);
            // In the scheduler a sequence that does not fit waits, but it cannot wait for a cache
            // that is kept for a later turn. A dialogue that does not fit together with others
            // therefore runs alone.
            boolean mayWait = !profits && rest.stream().allMatch(dialogue -> dialogue.turns() == 1);
            int count = mayWait ? rest.size() : Math.max(1, together);
            answers.addAll(answer(rest.subList(0, count), specs, measures, profits && together > 0));
            from += count;
        }
        return answers;
    }

    /// Number of leading dialogues whose references fit the heap together; at least one.
    ///
    /// @param heapBytes heap for the logits of full attention's answers, which are kept until every
    ///     strategy has answered
    static int measurable(List<Dialogue> dialogues, int vocabulary, long heapBytes) {
        long bytes = 0;
        int count = 0;
        for (Dialogue dialogue : dialogues) {
            int tokens = dialogue.turn(0, -1).options().maxNewTokens();
            bytes += (long) Math.min(tokens, dialogue.capacityTokens()) * vocabulary * Float.BYTES;
            if (bytes > heapBytes) {
                break;
            }
            count++;
        }
        return Math.max(1, count);
    }

    /// Number of leading dialogues that fit the memory together.
    ///
    /// @param readsOnce true if the full caches of their prompts are in memory at the same time
    private int fitting(List<Dialogue> dialogues, List<ComparedStrategy> specs, boolean readsOnce) {
        long near = 0;
        long host = 0;
        long workspace = 0;
        int count = 0;
        for (Dialogue dialogue : dialogues) {
            int capacity = dialogue.capacityTokens();
            MemoryPlan full = plan(
                    new ComparedStrategy(
                            new KvCacheSpec.Full(), specs.getFirst().prefill()),
                    capacity);
            List<MemoryPlan> plans =
                    specs.stream().map(spec -> plan(spec, capacity)).toList();
            near += (readsOnce ? full.perSequence().resident() : 0) + most(plans, StrategyComparison::nearBytes);
            host += most(plans, plan -> plan.perSequence().offloaded());
            workspace = Math.max(workspace, Math.max(full.workspaceBytes(), most(plans, MemoryPlan::workspaceBytes)));
            boolean fitsHost = full.hostIsDevice() || host <= full.availableHostBytes();
            if (near + workspace > full.availableDeviceBytes() || !fitsHost) {
                break;
            }
            count++;
        }
        return count;
    }

    private static long most(List<MemoryPlan> plans, ToLongFunction<MemoryPlan> bytes) {
        return plans.stream().mapToLong(bytes).max().orElse(0);
    }

    private static long nearBytes(MemoryPlan plan) {
        MemoryPlan.SequenceBytes bytes = plan.perSequence();
        return bytes.resident() + (plan.hostIsDevice() ? bytes.offloaded() : 0);
    }

    private MemoryPlan plan(ComparedStrategy spec, int capacity) {
        return new Planner(model, of(sharing, spec), strategy(spec)).plan(capacity, 1);
    }

    private static EngineOptions of(EngineOptions common, ComparedStrategy spec) {
        return common.withCache(spec.cache()).withPrefill(spec.prefill());
    }

    private CacheStrategy strategy(ComparedStrategy spec) {
        return model.strategy(spec.cache(), spec.prefill());
    }

    private List<List<ComparedAnswers>> answer(
            List<Dialogue> dialogues, List<ComparedStrategy> specs, boolean measuresDivergence, boolean readsOnce) {
        // Places of the strategies that read alike; the same strategy may stand in the list twice.
        Map<PrefillSpec, List<Integer>> alike = new LinkedHashMap<>();
        for (int place = 0; place < specs.size(); place++) {
            alike.computeIfAbsent(specs.get(place).prefill(), _ -> new ArrayList<>())
                    .add(place);
        }
        List<DivergenceMeter.Reference> references = null;
        Map<Integer, List<ComparedAnswers>> found = new TreeMap<>();
        for (Map.Entry<PrefillSpec, List<Integer>> group : alike.entrySet()) {
            List<Prompt> prompts = new ArrayList<>();
            try {
                for (int i = 0; i < dialogues.size(); i++) {
                    Dialogue dialogue = dialogues.get(i);
                    Request first = dialogue.turn(0, -1);
                    turns.check(first, 0, dialogue.capacityTokens());
                    Prefilled read = readsOnce ? read(group.getKey(), dialogue, first, i, dialogues.size()) : null;
                    prompts.add(new Prompt(dialogue, first, read));
                }
                for (int place : group.getValue()) {
                    try (StrategyRun run = open(specs.get(place), prompts, readsOnce ? sharing : options)) {
                        if (measuresDivergence && references == null) {
                            references = run.recordReferences();
                        } else if (references != null) {
                            run.measure(references);
                        }
                        found.put(place, run.answer());
                    }
                }
            } finally {
                close(prompts);
            }
        }
        List<List<ComparedAnswers>> answers = new ArrayList<>();
        for (int i = 0; i < dialogues.size(); i++) {
            int dialogue = i;
            answers.add(found.values().stream().map(each -> each.get(dialogue)).toList());
        }
        return answers;
    }

    private static void close(List<Prompt> prompts) {
        for (Prompt prompt : prompts) {
            if (prompt.prefilled() != null) {
                prompt.prefilled().cache().close();
            }
        }
    }

    private Prefilled read(PrefillSpec prefill, Dialogue dialogue, Request request, int index, int count) {
        CacheStrategy full = model.strategy(new KvCacheSpec.Full(), prefill);
        int rows = options.withPrefill(prefill).prefillRows(model.backend());
        SequenceSize size = SequenceSize.of(dialogue.capacityTokens());
        long start = System.nanoTime();
        var prompt = new Reading.Prompt(request.promptIds(), size);
        try (Reading reading = Reading.open(model, full, List.of(prompt), rows)) {
            reading.run(done -> {
                request.listener().reading((index + done) / count);
                if (request.cancellation().isRequested()) {
                    throw new CancellationException("cancelled while the prompt was read");
                }
            });
            float[] logits = reading.logits(0);
            List<LayerDensity> densities = reading.densities(0);
            return new Prefilled(reading.seal(0), logits, System.nanoTime() - start, densities);
        }
    }

    private StrategyRun open(ComparedStrategy spec, List<Prompt> prompts, EngineOptions common) {
        CacheStrategy strategy = strategy(spec);
        EngineOptions own = of(common, spec).withMaxBatch(prompts.size()).withKeptPrompts(0);
        Planner planner = new Planner(model, own, strategy);
        Scheduler scheduler = new Scheduler(model, own, strategy, planner);
        return new StrategyRun(prompts, strategy, planner, scheduler, turns);
    }
}
