package io.shadowkv.server.endpoint;

import io.shadowkv.engine.serve.Engine;
import io.shadowkv.sampling.Sampler;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.server.answer.PingedAnswer.Waited;
import io.shadowkv.server.answer.ScoredPrompt;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.model.ServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The computation of the log probabilities of prompts, on a virtual thread of its own. Closing it ends
/// it after the prompt that is being read.
///
/// The engine computes the logits of all positions for one caller at a time, with nothing else
/// running. So that nobody waits behind such a request for the end of a long answer, it is refused
/// while other requests run. Those that come while a prompt is scored wait for its end.
final class Scoring implements Waited, AutoCloseable {
    private static final int BUSY_SECONDS = 1;

    private final ServedModel model;
    private final List<int[]> prompts;
    private final int top;
    private final int newTokens;
    private final CompletableFuture<List<ScoredPrompt>> result = new CompletableFuture<>();
    private volatile boolean isClosed;

    private Scoring(ServedModel model, List<int[]> prompts, int top, int newTokens) {
        this.model = model;
        this.prompts = prompts;
        this.top = top;
        this.newTokens = newTokens;
    }

    /// Begins to compute.
    ///
    /// @param turns lets one request of the server score at a time
    /// @param prompts token ids in the vocabulary, at least one of each prompt
    /// @param top number of most likely tokens to report at each place
    /// @param newTokens number of tokens to generate, 0 or 1
    static Scoring start(ServedModel model, Semaphore turns, List<int[]> prompts, int top, int newTokens) {
        Scoring scoring = new Scoring(model, prompts, top, newTokens);
        Thread.ofVirtual().name("shadowkv-scoring").start(() -> scoring.run(turns));
        return scoring;
    }

    private void run(Semaphore turns) {
        turns.acquireUninterruptibly();
        try {
            List<ScoredPrompt> scored = new ArrayList<>();
            for (int[] ids : prompts) {
                checkOpen();
                Engine engine = model.engines().leastLoaded().engine();
                checkIdle(engine);
                scored.add(score(engine, ids));
            }
            result.complete(scored);
        } catch (RuntimeException | Error e) {
            result.completeExceptionally(e);
        } finally {
            turns.release();
        }
    }

    private void checkOpen() {
        if (isClosed) {
            throw new CancellationException("nobody waits for the log probabilities");
        }
    }

    private static void checkIdle(Engine engine) {
        if (engine.runningRequests() + engine.waitingRequests() > 0) {
            throw ApiException.unavailable(
                    "engine_busy",
                    "log probabilities of a prompt (echo with logprobs) are computed while nothing else runs, and other"
                            + " requests run now. Try again, or use a server of your own",
                    BUSY_SECONDS);
        }
    }

    private ScoredPrompt score(Engine engine, int[] ids) {
        List<TokenLogprobs> rest = new ArrayList<>();
        List<Integer> generated = new ArrayList<>();
        engine.logits(ids, ids.length, true, 0, row -> {
            checkOpen();
            int next = rest.size() + 1;
            if (next < ids.length) {
                rest.add(TokenLogprobs.of(row, ids[next], top));
            } else if (newTokens > 0) {
                int best = Sampler.argmax(row);
                generated.add(best);
                rest.add(TokenLogprobs.of(row, best, top));
            }
        });
        return new ScoredPrompt(text(ids, generated), ids.length, ids[0], rest);
    }

    private String text(int[] ids, List<Integer> generated) {
        StringBuilder text = new StringBuilder(model.text(ids));
        generated.forEach(id -> text.append(model.tokenText(id)));
        return text.toString();
    }

    @Override
    public boolean await(Duration limit) throws InterruptedException {
        try {
            result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("the log probabilities of a prompt were not computed", e.getCause());
        }
    }

    /// The prompts in their order, after [#await] has returned true.
    List<ScoredPrompt> scored() {
        return result.join();
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
