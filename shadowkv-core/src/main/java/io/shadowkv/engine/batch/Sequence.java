package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.answer.AnswerRecord;
import io.shadowkv.engine.answer.Ending;
import io.shadowkv.engine.answer.LogitsListener;
import io.shadowkv.engine.answer.SequenceTimes;
import io.shadowkv.engine.answer.TokenDraw;
import io.shadowkv.engine.answer.TokenIds;
import io.shadowkv.engine.model.ModelText;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One turn of one sequence in the scheduler: its tokens, its cache, and when it ends.
public final class Sequence {
    private final Request request;
    private PlannedSequence planned;
    private final TokenDraw draw;
    private final AnswerRecord answer;
    private final SequenceEvents events;
    private int cachedTokens;
    private final TokenIds ids;
    private final int firstGenerated;
    private final boolean grows;
    private int readTokens;
    private @Nullable SequenceCache cache;
    private boolean keepsCache;
    private Completion.@Nullable CacheReport lastReport;
    private final Ending ending = new Ending();
    private @Nullable LogitsListener logitsListener;
    private int readFirst;
    private boolean hasEnded;
    private boolean readsOnly;
    private boolean readsItself;
    private @Nullable Prefix prefix;
    private float @Nullable [] knownLogits;
    private long order;
    private final SequenceTimes times = new SequenceTimes();

    /// A turn of a sequence.
    ///
    /// @param history tokens before this turn, possibly with the last sampled one
    /// @param held the cache of a conversation that continues, or null for a new sequence
    /// @param events receives what happens to the sequence
    /// @throws IllegalArgumentException if the request has stop strings and there is no tokenizer
    public Sequence(
            ModelText model,
            Request request,
            int[] history,
            PlannedSequence planned,
            @Nullable SequenceCache held,
            SequenceEvents events) {
        this.request = request;
        this.events = events;
        this.cachedTokens = held == null ? 0 : held.length();
        this.planned = planned;
        List<Integer> endIds = TokenDraw.ends(request.options(), model.endIds());
        this.answer = new AnswerRecord(endIds, model.answerText(request));
        this.ids = new TokenIds(history, request.promptIds());
        this.firstGenerated = ids.size();
        this.readTokens = firstGenerated;
        this.grows = planned.size().grows();
        this.draw = new TokenDraw(request, ids.all(), firstGenerated, endIds);
        this.cache = held;
    }

    /// From now on downloads the logits of every step and passes them to `listener`.
    public void listenToLogits(LogitsListener listener) {
        logitsListener = listener;
    }

    /// Generates these ids, as many as the request asks for, whatever the logits are.
    public void force(int[] answer) {
        draw.force(answer);
    }

    /// Prefill reads only the history. Decode reads the tokens of the turn, as in a later turn.
    public void readsHistoryFirst() {
        readFirst = firstGenerated - request.promptIds().length;
    }

    /// Reads the prompt and generates nothing: the prompt is kept as a prefix of other sequences.
    public void readsOnly() {
        readsOnly = true;
    }

    boolean isReadOnly() {
        return readsOnly;
    }

    /// The prompt was read and is kept.
    void kept(Prefix read) {
        prefix = read;
        cache = null;
        ending.finish(Completion.FinishReason.MAX_NEW_TOKENS);
    }

    /// Continues a prefix with a fork of its cache.
    ///
    /// @param base the prefix whose memory `fork` shares; null if it shares none
    /// @param logits logits after the last token of the fork, if they are known
    void continues(@Nullable Prefix base, SequenceCache fork, PlannedSequence plan, float @Nullable [] logits) {
        prefix = base;
        cache = fork;
        planned = plan;
        cachedTokens = fork.length();
        knownLogits = logits;
    }

    /// Logits after the last token in the cache, if they are known before the first step.
    float @Nullable [] knownLogits() {
        return knownLogits;
    }

    /// The prefix whose memory the sequence shares, or as which it was kept; null if there is none.
    public @Nullable Prefix prefix() {
        return prefix;
    }

    /// The cache was freed.
    ///
    /// @param readsAll true if the sequence reads everything itself and must not continue a prefix
    void losesCache(Planner planner, int batch, boolean readsAll) {
        cache = null;
        prefix = null;
        knownLogits = null;
        planned = grows ? planner.growing(ids.size(), capacity(), batch) : planner.sequence(capacity(), batch);
        readsItself |= readsAll;
        cachedTokens = 0;
    }

    /// Reading takes the generated tokens as well; otherwise it takes those before the answer, and
    /// the others are decoded as they were before.
    void readsAnswer() {
        readTokens = ids.size();
    }

    /// Number of the first tokens that are read; those after them are decoded.
    int readTokens() {
        return readTokens;
    }

    /// Number of tokens to read that are not in the cache.
    int unread() {
        return Math.max(0, readTokens - (cache == null ? 0 : cache.length()));
    }

    /// The memory of the sequence was changed.
    void sized(PlannedSequence changed) {
        planned = changed;
    }

    /// True if the sequence must not continue a prefix.
    boolean readsItself() {
        return readsItself || readsOnly || keepsCache;
    }

    /// The sequence does not use its prefix any more.
    void leavesPrefix() {
        prefix = null;
    }

    /// The tokens to read: those that are not in the cache, all of them if there is none.
    int[] toRead() {
        return cache == null && readFirst > 0 ? ids.range(0, readFirst) : ids.range(readTokens - unread(), readTokens);
    }

    public Request request() {
        return request;
    }

    SequenceEvents events() {
        return events;
    }

    /// Position among all submitted sequences.
    long order() {
        return order;
    }

    /// The scheduler has the sequence now.
    void submitted(long newOrder) {
        order = newOrder;
        times.submitted(request.timeout());
    }

    /// Reading, or decoding with a cache from before, begins.
    void admitted() {
        times.admitted();
    }

    /// Part of the prompt was read.
    void read(double done) {
        if (!hasEnded && !mustEnd() && ids.size() == firstGenerated) {
            guarded(self -> events.reading(done));
        }
    }

    /// The prompt, or the tokens of a turn, were read.
    void sealed(long waitNanos, List<LayerDensity> densities) {
        readFirst = 0;
        knownLogits = null;
        times.read(waitNanos, densities);
    }

    /// Records the time of a prefill that another object did.
    ///
    /// @param waitNanos part of `nanos` that was spent waiting for indexing
    public void wasRead(long nanos, long waitNanos, List<LayerDensity> densities) {
        times.wasRead(nanos, waitNanos, densities);
    }

    /// A step decoded `tokens` new tokens.
    void stepped(int tokens, long nanos) {
        times.stepped(requireCache().length() - tokens < firstGenerated, nanos);
    }

    int capacity() {
        return planned.size().capacityTokens();
    }

    public PlannedSequence planned() {
        return planned;
    }

    /// All tokens so far, also those not yet in the cache.
    public int[] ids() {
        return ids.all();
    }

    int length() {
        return ids.size();
    }

    public @Nullable SequenceCache cache() {
        return cache;
    }

    public SequenceCache requireCache() {
        SequenceCache held = cache;
        if (held == null) {
            throw new IllegalStateException("the sequence has no cache yet");
        }
        return held;
    }

    public void holds(@Nullable SequenceCache newCache) {
        cache = newCache;
    }

    /// Keeps the cache open when this turn ends, for the next turn.
    public void keepCache() {
        keepsCache = true;
    }

    boolean keepsCache() {
        return keepsCache;
    }

    /// The cache that another sequence may continue after the end; null if there is none.
    @Nullable
    SequenceCache reusable() {
        return keepsCache || failure() != null || Growth.isParked(this) ? null : cache;
    }

    /// Ends the sequence, and frees the cache unless the next turn needs it.
    ///
    /// @param isKept true if a prefix has the cache now
    void end(Ledger ledger, boolean isKept) {
        hasEnded = true;
        SequenceCache held = cache;
        if (held != null && (!keepsCache || failure() != null)) {
            if (failure() == null) {
                lastReport = CacheReports.of(held, planned);
            }
            if (!isKept) {
                ledger.free(held);
            }
            cache = null;
        }
    }

    /// True once the scheduler does not use the sequence any more.
    boolean hasEnded() {
        return hasEnded;
    }

    /// The tokens that are not yet in the cache, at most `limit`.
    int[] pending(int limit) {
        int held = cache == null ? 0 : cache.length();
        return ids.range(held, held + Math.min(pendingCount(), limit));
    }

    int pendingCount() {
        return ids.size() - (cache == null ? 0 : cache.length());
    }

    /// Draws the next token from a row of logits and reports it. A failure ends the sequence.
    ///
    /// @param logits `[vocabulary]`, overwritten
    public void accept(float[] logits) {
        guarded(self -> self.draw(logits));
    }

    private void draw(float[] logits) {
        LogitsListener listener = logitsListener;
        if (listener != null) {
            listener.logits(ids.range(firstGenerated, ids.size()), logits.clone());
        }
        float[] raw = draw.wantsLogprobs() ? logits.clone() : logits;
        int id = draw.draw(logits);
        take(id, draw.logprobs(raw, id));
    }

    /// Runs `work`; an exception ends the sequence.
    void guarded(Consumer<Sequence> work) {
        try {
            work.accept(this);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    TokenDraw draw() {
        return draw;
    }

    /// True if the next token is the one with the largest logit.
    boolean takesLargest() {
        return !needsWholeRow() && draw.takesLargest();
    }

    /// True if the next token needs a whole row of logits on the host.
    boolean needsWholeRow() {
        return logitsListener != null || draw.isForced();
    }

    /// Takes the token with the largest logit.
    void take(int id) {
        guarded(self -> self.take(id, null));
    }

    /// Takes a drawn token.
    ///
    /// @param chances log probabilities; null if they were not requested
    void take(int id, @Nullable TokenLogprobs chances) {
        ids.add(id);
        draw.accept(id);
        boolean isLast = ids.size() - firstGenerated >= request.options().maxNewTokens() || ids.size() == capacity();
        String piece = answer.take(id, chances, isLast);
        ending.finish(answer.finish());
        times.generated();
        events.token(id, piece, chances);
    }

    /// Ends the sequence if its cancellation was requested or its time has passed.
    ///
    /// @return true if the sequence has ended
    boolean mustEnd() {
        ending.interrupt(request.cancellation().isRequested(), times.isTimedOut());
        return isFinished();
    }

    /// Ends the sequence with a failure, unless it has one.
    void fail(RuntimeException reason) {
        ending.fail(reason);
    }

    public boolean isFinished() {
        return ending.isFinished();
    }

    /// Why the sequence failed; null if it did not.
    public @Nullable RuntimeException failure() {
        return ending.failure();
    }

    /// The result.
    ///
    /// @throws RuntimeException the failure of the sequence
    /// @throws IllegalStateException if the sequence has not ended
    public Completion completion() {
        Completion.FinishReason reason = ending.reason();
        return new Completion(
                request.promptIds().length,
                cachedTokens,
                ids.range(firstGenerated, ids.size()),
                answer.logprobs(),
                answer.text(),
                reason,
                times.timings(),
                lastReport == null ? CacheReports.of(cache, planned) : lastReport,
                times.densities());
    }
}
