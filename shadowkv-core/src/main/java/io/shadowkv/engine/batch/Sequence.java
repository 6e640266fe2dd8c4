package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.answer.AnswerText;
import io.shadowkv.engine.answer.SequenceTimes;
import io.shadowkv.engine.answer.TokenDraw;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One turn of one sequence in the scheduler: its tokens, its cache, and when it ends.
public final class Sequence {
    private final Request request;
    private PlannedSequence planned;
    private final List<Integer> endIds;
    private final TokenDraw draw;
    private final List<TokenLogprobs> logprobs = new ArrayList<>();
    private final @Nullable AnswerText answer;
    private final SequenceEvents events;
    private int cachedTokens;
    private final StringBuilder text = new StringBuilder();
    private int[] ids;
    private int count;
    private final int firstGenerated;
    private @Nullable SequenceCache cache;
    private boolean keepsCache;
    private Completion.@Nullable CacheReport lastReport;
    private Completion.@Nullable FinishReason finish;
    private @Nullable RuntimeException failure;
    private @Nullable LogitsListener logitsListener;
    private int @Nullable [] forced;
    private int readFirst;
    private boolean hasEnded;
    private boolean readsOnly;
    private @Nullable Prefix prefix;
    private float @Nullable [] knownLogits;
    private long order;
    private final SequenceTimes times = new SequenceTimes();

    /// @param history tokens before this turn: those in the cache, and possibly the last sampled
    ///     token
    /// @param answer decodes the answer to text; null if there is no tokenizer
    /// @param held the cache of a conversation that continues, or null for a new sequence
    /// @param events receives what happens to the sequence
    Sequence(
            Request request,
            int[] history,
            PlannedSequence planned,
            List<Integer> endIds,
            @Nullable AnswerText answer,
            @Nullable SequenceCache held,
            SequenceEvents events) {
        this.request = request;
        this.events = events;
        this.cachedTokens = held == null ? 0 : held.length();
        this.planned = planned;
        this.endIds = TokenDraw.ends(request.options(), endIds);
        this.answer = answer;
        this.ids = Arrays.copyOf(history, history.length + request.promptIds().length + 64);
        System.arraycopy(request.promptIds(), 0, ids, history.length, request.promptIds().length);
        this.count = history.length + request.promptIds().length;
        this.firstGenerated = count;
        this.draw = new TokenDraw(request, ids, count, this.endIds);
        this.cache = held;
    }

    /// From now on downloads the logits of every step and passes them to `listener`.
    public void listenToLogits(LogitsListener listener) {
        logitsListener = listener;
    }

    /// Generates these ids, whatever the logits are.
    ///
    /// @param answer as many ids as the request asks for
    public void force(int[] answer) {
        forced = answer;
    }

    /// Makes prefill read only the history. Decode then reads the tokens of the turn, as if the
    /// history had been read in an earlier turn.
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
        finish = Completion.FinishReason.MAX_NEW_TOKENS;
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

    /// The sequence does not use its prefix any more.
    void leavesPrefix() {
        prefix = null;
    }

    /// The tokens that prefill reads: all of them again if the cache was dropped.
    int[] toRead() {
        return Arrays.copyOf(ids, readFirst == 0 ? count : readFirst);
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
        if (!hasEnded && !mustEnd()) {
            guarded(self -> events.reading(done));
        }
    }

    /// The prompt was read.
    void sealed(long waitNanos) {
        readFirst = 0;
        times.read(waitNanos);
    }

    /// Records the time of a prefill that another object did.
    ///
    /// @param waitNanos part of `nanos` that was spent waiting for indexing
    public void wasRead(long nanos, long waitNanos) {
        times.wasRead(nanos, waitNanos);
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
        return Arrays.copyOf(ids, count);
    }

    int length() {
        return count;
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
        return keepsCache || failure != null ? null : cache;
    }

    /// Ends the sequence, and frees the cache unless the next turn needs it.
    ///
    /// @param isKept true if a prefix has the cache now
    void end(Ledger ledger, boolean isKept) {
        hasEnded = true;
        SequenceCache held = cache;
        if (held != null && (!keepsCache || failure != null)) {
            if (failure == null) {
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
        return Arrays.copyOfRange(ids, held, Math.min(count, held + limit));
    }

    int pendingCount() {
        return count - (cache == null ? 0 : cache.length());
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
            listener.logits(Arrays.copyOfRange(ids, firstGenerated, count), logits.clone());
        }
        int[] answer = forced;
        float[] raw = draw.wantsLogprobs() ? logits.clone() : logits;
        int id = answer == null ? draw.draw(logits) : answer[count - firstGenerated];
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
        return logitsListener != null || forced != null;
    }

    /// Takes the token with the largest logit.
    void take(int id) {
        guarded(self -> self.take(id, null));
    }

    /// Takes a drawn token.
    ///
    /// @param chances log probabilities; null if they were not requested
    void take(int id, @Nullable TokenLogprobs chances) {
        ids = count == ids.length ? Arrays.copyOf(ids, ids.length * 2) : ids;
        ids[count++] = id;
        draw.accept(id);
        if (chances != null) {
            logprobs.add(chances);
        }
        String piece = text(id);
        times.generated();
        events.token(id, piece, chances);
    }

    /// Adds a token's text, and ends the sequence if the token does.
    ///
    /// @return the text that became certain
    private String text(int id) {
        boolean isEnd = endIds.contains(id);
        String piece = isEnd || answer == null ? "" : answer.push(id);
        if (isEnd) {
            finish = Completion.FinishReason.END_OF_SEQUENCE;
        } else if (answer != null && answer.isStopped()) {
            finish = Completion.FinishReason.STOP_STRING;
        } else if (count - firstGenerated >= request.options().maxNewTokens() || count == capacity()) {
            finish = Completion.FinishReason.MAX_NEW_TOKENS;
        }
        if (finish != null) {
            piece += answer == null ? "" : answer.finish();
        }
        text.append(piece);
        return piece;
    }

    /// Ends the sequence if its cancellation was requested or its time has passed.
    ///
    /// @return true if the sequence has ended
    boolean mustEnd() {
        if (!isFinished()) {
            if (request.cancellation().isRequested()) {
                finish = Completion.FinishReason.CANCELLED;
            } else if (times.isTimedOut()) {
                finish = Completion.FinishReason.TIMEOUT;
            }
        }
        return isFinished();
    }

    /// Ends the sequence with a failure, unless it has one.
    void fail(RuntimeException reason) {
        failure = failure == null ? reason : failure;
    }

    public boolean isFinished() {
        return finish != null || failure != null;
    }

    /// Why the sequence failed; null if it did not.
    public @Nullable RuntimeException failure() {
        return failure;
    }

    /// The result.
    ///
    /// @throws RuntimeException the failure of the sequence
    /// @throws IllegalStateException if the sequence has not ended
    public Completion completion() {
        if (failure != null) {
            throw failure;
        }
        Completion.FinishReason reason = finish;
        if (reason == null) {
            throw new IllegalStateException("the sequence has not ended");
        }
        return new Completion(
                request.promptIds().length,
                cachedTokens,
                Arrays.copyOfRange(ids, firstGenerated, count),
                List.copyOf(logprobs),
                text.toString(),
                reason,
                times.timings(),
                lastReport == null ? CacheReports.of(cache, planned) : lastReport);
    }
}
