package io.shadowkv.engine.serve;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.CacheStrategies;
import io.shadowkv.engine.batch.ModelText;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.RequestLimits;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.study.BatchRun;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.engine.study.LogitsRun;
import io.shadowkv.engine.study.StrategyComparison;
import io.shadowkv.engine.study.TurnFactory;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Completes prompts with a checkpoint, a backend and a cache strategy.
///
/// Thread-safe: calls run one after the other, each with all its requests together. To stop a request, use its
/// `Cancellation`. [#close] waits for the running call. The caller must close the backend.
public final class Engine implements AutoCloseable {
    private final EngineOptions options;
    private final ModelText text;
    private final Backend backend;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final CacheShape shape;
    private final DType kvType;
    private final MemoryScope tableScope;
    private final RotaryTables rotary;
    private final Planner planner;
    private final Scheduler scheduler;
    private final RequestLimits limits;
    private final long weightBytes;
    private final Set<Conversation> conversations = new LinkedHashSet<>();
    private volatile boolean isClosed;

    private Engine(EngineOptions options, ModelText text, long weightBytes, Backend backend, Decoder decoder) {
        this.options = options;
        this.text = text;
        this.weightBytes = weightBytes;
        this.backend = backend;
        this.decoder = decoder;
        this.kvType = options.kvType() != null ? options.kvType() : decoder.weightType();
        this.shape = shape(decoder.spec(), kvType);
        this.limits = RequestLimits.of(decoder.spec());
        this.strategy = CacheStrategies.open(options.cache(), shape, backend);
        this.tableScope = backend.newScope("rotary tables");
        this.rotary = new RotaryTables(decoder.spec().rope(), backend, tableScope);
        this.planner = new Planner(options, backend, decoder, strategy, rotary, weightBytes);
        this.scheduler = new Scheduler(options, backend, decoder, strategy, rotary, planner);
    }

    /// Opens a checkpoint folder.
    ///
    /// @param backend must stay open as long as the engine, which does not close it
    /// @throws io.shadowkv.checkpoint.CheckpointException if this engine cannot read the folder
    public static Engine open(Path folder, Backend backend, EngineOptions options) {
        Checkpoint checkpoint = Checkpoint.open(folder);
        try {
            List<String> notes = new ArrayList<>(checkpoint.notes());
            Decoder decoder = Decoder.load(checkpoint, options.kvType(), backend, notes::add);
            return new Engine(options, new ModelText(checkpoint, notes), checkpoint.weightBytes(), backend, decoder);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /// Creates an engine with random weights of a known shape, for benchmarks. Its input and output are token
    /// ids.
    ///
    /// @param weightType BF16, F16 or F32
    /// @param seed seed of the weights; equal seeds give equal weights on every backend
    /// @param backend must stay open as long as the engine, which does not close it
    public static Engine openRandom(
            DecoderSpec spec, DType weightType, long seed, Backend backend, EngineOptions options) {
        Decoder decoder = Decoder.random(spec, weightType, seed, backend);
        return new Engine(options, new ModelText(null, List.of()), decoder.heldWeightBytes(), backend, decoder);
    }

    private static CacheShape shape(DecoderSpec spec, DType kvType) {
        return new CacheShape(spec.layers(), spec.queryHeads(), spec.kvHeads(), spec.headDim(), kvType);
    }

    public DecoderSpec spec() {
        return decoder.spec();
    }

    public EngineOptions options() {
        return options;
    }

    /// @throws IllegalStateException if the weights are random
    public Checkpoint checkpoint() {
        return text.checkpoint();
    }

    public Backend backend() {
        return backend;
    }

    /// Messages about the checkpoint that the user should see and that are not failures, such as an adapter that
    /// is not applied; usually empty.
    public List<String> notes() {
        return text.notes();
    }

    /// The type of most weights.
    public DType weightType() {
        return decoder.weightType();
    }

    /// Type of stored keys and values.
    public DType kvType() {
        return kvType;
    }

    /// Context length of the checkpoint in tokens, for prompt and answer together.
    public int contextTokens() {
        return decoder.spec().contextTokens();
    }

    /// The checkpoint's tokenizer; opened at first use.
    ///
    /// @throws io.shadowkv.text.TokenizerException if the folder has no readable tokenizer
    public Tokenizer tokenizer() {
        return text.tokenizer();
    }

    /// True if the checkpoint has a tokenizer. Without one, input and output are token ids.
    public boolean hasTokenizer() {
        return text.hasTokenizer();
    }

    /// The checkpoint's chat template.
    ///
    /// @throws io.shadowkv.text.chat.ChatTemplateException if the folder has no chat template
    public ChatTemplate chatTemplate() {
        return text.chatTemplate();
    }

    /// True if the checkpoint has a chat template.
    public boolean hasChatTemplate() {
        return text.hasChatTemplate();
    }

    /// Encodes a plain prompt. The spelling of a special token becomes that token. The ids may contain the start
    /// token twice ([Tokenizer#beginsTwice]).
    public int[] encode(String prompt) {
        checkOpen();
        return tokenizer().encode(prompt, true);
    }

    /// Encodes messages with the chat template, up to the start of the answer. Special tokens come only from the
    /// template: their spelling in a message is ordinary text.
    public int[] encodeChat(List<ChatMessage> messages) {
        checkOpen();
        return tokenizer()
                .encode(chatTemplate().prompt(messages, true, tokenizer().specialTokens()));
    }

    /// Returns the memory plan for `batch` sequences of up to `contextTokens` tokens, before anything is
    /// allocated.
    public MemoryPlan plan(int contextTokens, int batch) {
        limits.checkPlan(contextTokens, batch);
        return planner.plan(contextTokens, batch);
    }

    /// Returns the memory plan under another strategy.
    public MemoryPlan plan(KvCacheSpec cache, int contextTokens, int batch) {
        limits.checkPlan(contextTokens, batch);
        CacheStrategy other = CacheStrategies.open(cache, shape, backend);
        return new Planner(options.withCache(cache), backend, decoder, other, rotary, weightBytes)
                .plan(contextTokens, batch);
    }

    /// Completes one prompt.
    ///
    /// @throws ContextLengthException if prompt and answer exceed the context
    /// @throws MemoryPlanException if the plan does not fit the memory
    public Completion complete(Request request) {
        return complete(List.of(request)).getFirst();
    }

    /// Completes prompts of any lengths together, in batches as large as the memory plan admits. Returns the
    /// answers in the order of the requests. Computes nothing if one of the requests can never run.
    ///
    /// @throws ContextLengthException if a prompt fills the context
    /// @throws MemoryPlanException if a request alone does not fit the memory
    public synchronized List<Completion> complete(List<Request> requests) {
        checkOpen();
        List<Sequence> sequences = new ArrayList<>();
        int together = Math.clamp(requests.size(), 1, options.maxBatch());
        for (Request request : requests) {
            int capacity = limits.capacityOf(request);
            planner.checkFits(capacity, 1);
            PlannedSequence planned = planner.sequence(capacity, together);
            sequences.add(text.sequence(request, new int[0], planned, null));
        }
        try {
            return run(sequences);
        } finally {
            sequences.forEach(Sequence::closeCache);
        }
    }

    /// Completes one prompt under several strategies, to compare answers or try parameters. Prefill is exact
    /// under all strategies, so the prompt is read once. Returns the answers in the order of the strategies. The
    /// prefill time of each is the time of the shared prefill plus its own indexing.
    ///
    /// @throws MemoryPlanException if a strategy alone does not fit the memory
    /// @throws java.util.concurrent.CancellationException if it is cancelled
    public synchronized List<Completion> compare(Request request, List<KvCacheSpec> strategies) {
        checkOpen();
        Dialogue single = Dialogue.of(request, limits.capacityOf(request));
        return compare(List.of(single), strategies, false).getFirst().stream()
                .map(answers -> answers.turns().getFirst())
                .toList();
    }

    /// Answers several dialogues under several strategies. Each prompt is read once. Under each strategy as many
    /// dialogues decode together as fit in memory in addition to the full caches of their prompts. If the memory
    /// does not hold these for one dialogue, or if there is only one strategy, each strategy reads the prompt
    /// itself.
    ///
    /// @param strategies at least one
    /// @param measuresDivergence true to measure how far next-token distributions are from those of full
    ///     attention, which must then be the first strategy. This downloads the logits of every step; if an
    ///     answer differs from that of full attention, the latter is read once more
    /// @return for each dialogue, its answers under each strategy
    /// @throws ContextLengthException if a dialogue's capacity exceeds the context, or a turn leaves no room for
    ///     an answer in it
    /// @throws MemoryPlanException if a strategy alone does not fit the memory
    /// @throws java.util.concurrent.CancellationException if a request is cancelled
    public synchronized List<List<ComparedAnswers>> compare(
            List<Dialogue> dialogues, List<KvCacheSpec> strategies, boolean measuresDivergence) {
        checkOpen();
        TurnFactory turns = new TurnFactory(limits, text);
        var comparison = new StrategyComparison(options, backend, decoder, rotary, shape, weightBytes, turns);
        return text.explaining(() -> comparison.run(dialogues, strategies, measuresDivergence));
    }

    /// Opens a conversation, which keeps its cache between turns. Closing the engine closes the conversation.
    ///
    /// @param capacityTokens maximum number of tokens of all turns together, at least 2
    /// @throws ContextLengthException if the capacity exceeds the context
    public synchronized Conversation converse(int capacityTokens) {
        checkOpen();
        limits.checkCapacity(capacityTokens, "a conversation");
        Conversation opened = new Conversation(this, capacityTokens);
        conversations.add(opened);
        return opened;
    }

    synchronized void forget(Conversation closed) {
        conversations.remove(closed);
    }

    /// From now on reports every selection to `listener`, which makes steps slow. Null ends it.
    public synchronized void traceSelections(@Nullable SelectionListener listener) {
        scheduler.decodeCache().trace(listener);
    }

    /// From now on replaces selections by synthetic ones, of which about `rate` are already resident, to compare
    /// machines. NaN ends it.
    public synchronized void forceHitRate(double rate) {
        scheduler.decodeCache().synthesizeHits(rate);
    }

    /// Opens a batch whose steps the caller controls, for benchmarks.
    ///
    /// @param batch number of sequences that decode together
    /// @param capacityTokens maximum number of tokens of each sequence
    /// @throws MemoryPlanException if the plan does not fit the memory
    public synchronized BatchRun openBatch(int batch, int capacityTokens) {
        checkOpen();
        limits.checkContext(capacityTokens, "a batch of " + capacityTokens + " tokens");
        limits.checkPlan(capacityTokens, batch);
        planner.checkFits(capacityTokens, batch);
        return new BatchRun(
                backend,
                decoder,
                strategy,
                rotary,
                options.prefillRows(backend),
                planner.sequence(capacityTokens, batch),
                batch);
    }

    /// Computes the logits of given ids, to compare with other engines. Needs no tokenizer.
    ///
    /// @param ids token ids, at least one
    /// @param prefillTokens number of ids that prefill reads; decode reads the others one by one
    /// @param allPositions true for the logits after every id, false for those after the last
    /// @param generate number of ids to generate greedily after the given ones; end-of-sequence ids do not end it
    /// @param sink receives one row `[vocabulary]` per position, in order; never a row with unusable logits
    /// @return the generated ids
    /// @throws io.shadowkv.sampling.LogitsException if a row has a NaN or its largest logit is not finite
    public synchronized int[] logits(
            int[] ids, int prefillTokens, boolean allPositions, int generate, Consumer<float[]> sink) {
        checkOpen();
        limits.checkIds(ids);
        LogitsRun.check(ids, prefillTokens, generate);
        int capacity = ids.length + generate;
        limits.checkContext(capacity, ids.length + " ids and " + generate + " more");
        PlannedSequence planned = planner.sequence(capacity, 1);
        if (!planner.fitsBeside(List.of(), planned)) {
            throw new MemoryPlanException(planner.plan(capacity, 1).refusal());
        }
        int rows = options.prefillRows(backend);
        return text.explaining(() -> {
            try (LogitsRun run = new LogitsRun(backend, decoder, strategy, rotary, rows, planned.size())) {
                return run.run(ids, prefillTokens, allPositions, sink);
            }
        });
    }

    /// Checks and prepares one turn of a conversation. Changes nothing if it throws.
    ///
    /// @param history tokens before this turn
    /// @param held the conversation's cache, or null before the first turn
    synchronized Sequence turn(Request request, int[] history, int capacity, @Nullable SequenceCache held) {
        checkOpen();
        limits.checkConversation(request, history.length, capacity);
        // A conversation stays open at the same time as others, so it gets one share of a full
        // batch.
        PlannedSequence planned = planner.sequence(capacity, options.maxBatch());
        Sequence sequence = text.sequence(request, history, planned, held);
        sequence.keepCache();
        return sequence;
    }

    /// Runs sequences until all have ended. If one fails, all are removed; their caches stay open.
    synchronized List<Completion> run(List<Sequence> sequences) {
        checkOpen();
        var held = conversations.stream().map(Conversation::held).filter(Objects::nonNull);
        planner.holdIdle(held.toList(), sequences);
        return text.explaining(() -> scheduler.run(sequences));
    }

    void checkOpen() {
        if (isClosed) {
            throw new IllegalStateException("the engine is closed");
        }
    }

    /// Waits for the running call, then frees the model and all conversations.
    ///
    /// @throws IllegalStateException if called from a listener of this engine
    @Override
    public void close() {
        if (Thread.holdsLock(this)) {
            throw new IllegalStateException("close was called from a listener, while the engine computes for it. Cancel"
                    + " the request, and close the engine after the call that it belongs to has returned");
        }
        free();
    }

    private synchronized void free() {
        if (isClosed) {
            return;
        }
        List.copyOf(conversations).forEach(Conversation::close);
        isClosed = true;
        scheduler.close();
        decoder.close();
        tableScope.close();
        text.close();
    }
}
