package io.shadowkv.engine.serve;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.FetchWatch;
import io.shadowkv.engine.MemoryInUse;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.Preemptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.engine.model.ModelText;
import io.shadowkv.engine.study.BatchRun;
import io.shadowkv.engine.study.Calibration;
import io.shadowkv.engine.study.CalibrationRun;
import io.shadowkv.engine.study.ComparedAnswers;
import io.shadowkv.engine.study.ComparedStrategy;
import io.shadowkv.engine.study.Dialogue;
import io.shadowkv.engine.study.LogitsRun;
import io.shadowkv.engine.study.PatternSearch;
import io.shadowkv.engine.study.StrategyComparison;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Completes prompts with a checkpoint, a backend and a cache strategy.
///
/// Thread-safe: any number of threads submit requests, which join the running batch as memory
/// allows. One thread of the engine computes; no code of the application runs on it, except a
/// [SelectionListener]. The caller must close the backend.
public final class Engine implements AutoCloseable {
    private final EngineOptions options;
    private final LoadedModel model;
    private final ModelText text;
    private final CacheStrategy strategy;
    private final Planner planner;
    private final Scheduler scheduler;
    private final EngineLoop loop;
    private final Requests requests;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    private Engine(EngineOptions options, LoadedModel model) {
        this.options = options;
        this.model = model;
        this.text = model.text();
        this.strategy = model.strategyOrClose(options.cache(), options.prefill());
        this.planner = new Planner(model, options, strategy);
        this.scheduler = new Scheduler(model, options, strategy, planner);
        this.loop = new EngineLoop(scheduler, options.maxWaiting());
        this.requests = new Requests(model, options, planner, scheduler, loop);
    }

    /// Opens a checkpoint folder.
    ///
    /// @param backend must stay open as long as the engine, which does not close it
    /// @throws io.shadowkv.checkpoint.CheckpointException if this engine cannot read the folder
    public static Engine open(Path folder, Backend backend, EngineOptions options) {
        return new Engine(options, LoadedModel.open(folder, backend, options));
    }

    /// Creates an engine with random weights of a known shape, for benchmarks. It has no tokenizer.
    ///
    /// @param weightType BF16, F16 or F32
    /// @param seed seed of the weights; equal seeds give equal weights on every backend
    /// @param backend must stay open as long as the engine, which does not close it
    public static Engine openRandom(
            DecoderSpec spec, DType weightType, long seed, Backend backend, EngineOptions options) {
        return new Engine(options, LoadedModel.random(spec, weightType, seed, backend, options));
    }

    public DecoderSpec spec() {
        return model.decoder().spec();
    }

    public EngineOptions options() {
        return options;
    }

    /// @throws IllegalStateException if the weights are random
    public Checkpoint checkpoint() {
        return text.checkpoint();
    }

    public Backend backend() {
        return model.backend();
    }

    /// Messages about the checkpoint that the user should see, such as an adapter that is not applied.
    public List<String> notes() {
        return text.notes();
    }

    /// The type of most weights.
    public DType weightType() {
        return model.decoder().weightType();
    }

    /// Type of stored keys and values.
    public DType kvType() {
        return model.shape().kvType();
    }

    /// Context length of the checkpoint in tokens, for prompt and answer together.
    public int contextTokens() {
        return model.limits().contextTokens();
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

    /// Encodes a plain prompt, in which the spelling of a special token becomes that token. The ids may contain
    /// the start token twice ([Tokenizer#beginsTwice]).
    public int[] encode(String prompt) {
        loop.checkAvailable();
        return tokenizer().encode(prompt, true);
    }

    /// Encodes messages with the chat template, up to the start of the answer. Special tokens come only
    /// from the template: their spelling in a message is ordinary text.
    public int[] encodeChat(List<ChatMessage> messages) {
        return encodeChat(messages, Map.of());
    }

    /// Like [#encodeChat(List)], with variables of the template such as `tools`: maps as in OpenAI's API.
    public int[] encodeChat(List<ChatMessage> messages, Map<String, ? extends @Nullable Object> variables) {
        loop.checkAvailable();
        var specialTokens = tokenizer().specialTokens();
        return tokenizer().encode(chatTemplate().prompt(messages, true, variables, specialTokens));
    }

    /// Returns the memory plan for `batch` sequences of up to `contextTokens` tokens. Allocates nothing.
    public MemoryPlan plan(int contextTokens, int batch) {
        model.limits().checkPlan(contextTokens, batch);
        return planner.plan(contextTokens, batch);
    }

    /// Returns the memory plan under another strategy.
    public MemoryPlan plan(KvCacheSpec cache, int contextTokens, int batch) {
        model.limits().checkPlan(contextTokens, batch);
        return new Planner(model, options.withCache(cache), model.strategy(cache, options.prefill()))
                .plan(contextTokens, batch);
    }

    /// Submits a request, which runs together with those of other callers. If it has a listener, a
    /// virtual thread passes the events to it.
    ///
    /// @throws ContextLengthException if the prompt fills the context
    /// @throws MemoryPlanException if the request would not fit the memory even alone
    /// @throws io.shadowkv.engine.QueueFullException if too many requests wait
    /// @throws io.shadowkv.engine.EngineUnavailableException if the engine is closed, draining or
    ///     broken
    public Generation submit(Request request) {
        return requests.submit(request);
    }

    /// Completes one prompt; see [#complete(List)].
    public Completion complete(Request request) {
        return complete(List.of(request)).getFirst();
    }

    /// Completes prompts of any lengths together, in batches as large as the memory plan admits. Passes
    /// their events to the listeners on the calling thread; a sequence takes its next step when its
    /// listener has returned. Returns the answers in the order of the requests. Computes nothing if
    /// one of the requests can never run.
    ///
    /// If a request or its listener fails, the others run to their end; then the first failure is thrown.
    ///
    /// @throws ContextLengthException if a prompt fills the context
    /// @throws MemoryPlanException if a request alone does not fit the memory
    /// @throws java.util.concurrent.CancellationException if the thread is interrupted
    /// @throws io.shadowkv.engine.EngineUnavailableException if the engine is closed, also while the
    ///     requests run
    public List<Completion> complete(List<Request> list) {
        return requests.complete(list);
    }

    /// Reads a document and keeps it, so that questions about it do not read it again. Waits until it
    /// is read.
    ///
    /// @param request the document; the options of generation are not used
    /// @throws ContextLengthException if the document fills the context
    /// @throws MemoryPlanException if it does not fit the memory
    /// @throws java.util.concurrent.CancellationException if it is cancelled, or its timeout passes
    public Document read(Request request) {
        return requests.read(request);
    }

    /// Opens a saved document ([Document#save]). Waits until it is in memory.
    ///
    /// @throws io.shadowkv.checkpoint.CheckpointException if the file is damaged
    /// @throws IllegalArgumentException if it was saved for other weights, another strategy, another way
    ///     of reading or another type of keys and values
    /// @throws MemoryPlanException if it does not fit the memory
    public Document openDocument(Path file) {
        return requests.openDocument(file);
    }

    /// Completes one prompt under several strategies that read as this engine does; it is read once. The prefill
    /// time of each is that of the shared prefill plus its own indexing. Throws as [#compareStrategies].
    public List<Completion> compare(Request request, List<KvCacheSpec> strategies) {
        Dialogue single = Dialogue.of(request, model.limits().capacityOf(request));
        return compare(List.of(single), strategies, false).getFirst().stream()
                .map(answers -> answers.turns().getFirst())
                .toList();
    }

    /// Like [#compareStrategies], with strategies that read as this engine does.
    public List<List<ComparedAnswers>> compare(List<Dialogue> dialogues, List<KvCacheSpec> caches, boolean measures) {
        var strategies = caches.stream().map(cache -> new ComparedStrategy(cache, options.prefill()));
        return compareStrategies(dialogues, strategies.toList(), measures);
    }

    /// Answers several dialogues under several strategies, as many together as fit in memory. Strategies that read
    /// alike share a prompt's reading, unless there is only one or the memory does not hold its full cache as well.
    ///
    /// @param strategies at least one
    /// @param measuresDivergence true to measure how far next-token distributions are from those of full
    ///     attention, which must be first. This downloads all logits, and reads different answers again
    /// @return for each dialogue, its answers under each strategy
    /// @throws ContextLengthException if a dialogue does not fit the context, or leaves no room for an answer
    /// @throws MemoryPlanException if a strategy alone does not fit the memory
    /// @throws java.util.concurrent.CancellationException if a request is cancelled
    public List<List<ComparedAnswers>> compareStrategies(
            List<Dialogue> dialogues, List<ComparedStrategy> strategies, boolean measuresDivergence) {
        return exclusively(() -> new StrategyComparison(model, options).run(dialogues, strategies, measuresDivergence));
    }

    private <T> T exclusively(Supplier<T> study) {
        try (var _ = loop.exclusive()) {
            return text.explaining(study);
        }
    }

    /// Measures what each layer's selection holds of full attention, and proposes budgets of layers.
    ///
    /// @param ids a text; the engine's strategy is ShadowKV with the same budget in all layers
    /// @param positions number of last tokens whose attention is measured
    /// @param progress receives the completed share; an exception ends the study
    /// @throws MemoryPlanException if full attention and the index do not fit the memory together
    public Calibration calibrate(int[] ids, int positions, Calibration.Goal goal, DoubleConsumer progress) {
        return exclusively(() -> CalibrationRun.of(model, options).run(ids, positions, goal, progress));
    }

    /// See [PatternSearch#read].
    public PatternTrials tryPatterns(int[] ids, PatternTrials trials, int rows, DoubleConsumer progress) {
        return exclusively(() -> new PatternSearch(model, options).read(ids, trials, rows, progress));
    }

    /// Opens a conversation, which keeps its cache between turns. Closing the engine closes the conversation.
    ///
    /// @param capacityTokens maximum number of tokens of all turns together, at least 2
    /// @throws ContextLengthException if the capacity exceeds the context
    public Conversation converse(int capacityTokens) {
        loop.checkAvailable();
        model.limits().checkCapacity(capacityTokens, "a conversation");
        return new Conversation(requests, capacityTokens);
    }

    /// From now on reports every selection to `listener`, which makes steps slow. Null ends it.
    public void traceSelections(@Nullable SelectionListener listener) {
        loop.between(() -> scheduler.batch().decodeCache().trace(listener));
    }

    /// Watches what decode steps fetch. The caller must close the result.
    public FetchWatch watchFetches() {
        return scheduler.batch().watches().open();
    }

    /// From now on selections are synthetic, about `rate` of them hits, to compare machines. NaN ends it.
    public void forceHitRate(double rate) {
        loop.between(() -> scheduler.batch().decodeCache().synthesizeHits(rate));
    }

    /// Opens a batch whose steps the caller controls, for benchmarks.
    ///
    /// @param batch number of sequences that decode together
    /// @param capacityTokens maximum number of tokens of each sequence
    /// @throws MemoryPlanException if the plan does not fit the memory
    public BatchRun openBatch(int batch, int capacityTokens) {
        loop.checkAvailable();
        model.limits().checkContext(capacityTokens, "a batch of " + capacityTokens + " tokens");
        model.limits().checkPlan(capacityTokens, batch);
        planner.checkFits(capacityTokens, batch);
        int rows = options.prefillRows(backend());
        var planned = planner.sequence(capacityTokens, batch);
        return BatchRun.open(model, strategy, rows, planned, batch, loop.exclusive()::close);
    }

    /// Computes the logits of one or more ids, to compare with other engines. Needs no tokenizer.
    ///
    /// @param prefillTokens number of ids that prefill reads; decode reads the others one by one
    /// @param allPositions true for the logits after every id, false for those after the last
    /// @param generate number of ids to generate greedily after the given ones; end-of-sequence ids do not end it
    /// @param sink receives one row `[vocabulary]` per position, in order; never a row with unusable logits
    /// @return the generated ids
    /// @throws io.shadowkv.sampling.LogitsException if a row has a NaN or its largest logit is not finite
    public int[] logits(int[] ids, int prefillTokens, boolean allPositions, int generate, Consumer<float[]> sink) {
        loop.checkAvailable();
        model.limits().checkIds(ids);
        LogitsRun.check(ids, prefillTokens, generate);
        int capacity = ids.length + generate;
        model.limits().checkContext(capacity, ids.length + " ids and " + generate + " more");
        planner.checkFits(capacity, 1);
        var size = planner.sequence(capacity, 1).size();
        return exclusively(() -> {
            try (var run = new LogitsRun(model, strategy, options.prefillRows(model.backend()), size)) {
                return run.run(ids, prefillTokens, allPositions, sink);
            }
        });
    }

    /// Why the engine is broken: it has ended all requests and refuses further ones. Null if it is not.
    public @Nullable Throwable failure() {
        return loop.failure();
    }

    /// How long the current round takes so far; 0 while the engine waits or is used exclusively.
    public Duration busyTime() {
        return loop.busyTime();
    }

    /// The memory of all sequences now.
    public MemoryInUse memoryInUse() {
        return planner.inUse();
    }

    /// How often sequences lost their memory to others so far.
    public Preemptions preemptions() {
        return scheduler.preemptions();
    }

    /// Number of requests that wait for their turn.
    public int waitingRequests() {
        return loop.waiting();
    }

    /// Number of requests whose prompts are read or that decode.
    public int runningRequests() {
        return loop.running();
    }

    /// Takes no further requests, and waits until the submitted ones have ended. Stays open. False if
    /// the time passed before that.
    public boolean drain(Duration limit) throws InterruptedException {
        return loop.drain(limit);
    }

    /// Ends all requests with an [io.shadowkv.engine.EngineUnavailableException] and frees the model
    /// and all conversations. Waits for a running comparison, logits or a batch of the caller's own.
    ///
    /// @throws IllegalStateException if called from a listener of a comparison
    @Override
    public void close() {
        loop.close();
        if (isClosed.compareAndSet(false, true)) {
            model.close();
        }
    }
}
