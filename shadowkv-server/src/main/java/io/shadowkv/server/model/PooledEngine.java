package io.shadowkv.server.model;

import io.shadowkv.engine.serve.Engine;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// An engine of a pool, and what the pool knows about the prompts that it holds. Thread-safe.
///
/// Which prompts an engine still keeps is known to its own thread only. The pool remembers as many of
/// the last prompts as the engine keeps, so it may take a prompt for kept that the engine has freed.
/// That request is read again, as it would be on any other engine.
public final class PooledEngine {
    /// A prompt that covers less of a request does not decide where it goes.
    private static final int LEAST_SHARE = 2;

    private final int number;
    private final Engine engine;
    private final int keptPrompts;
    private final Set<int[]> documents = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<int[]> prompts = new ArrayDeque<>();
    private final AtomicBoolean isReported = new AtomicBoolean();
    private volatile long lastChoice;

    /// @param number of the engine in its pool, from 0
    PooledEngine(int number, Engine engine) {
        this.number = number;
        this.engine = engine;
        this.keptPrompts = engine.options().keptPrompts();
    }

    /// Number of the engine in its pool, from 0.
    public int number() {
        return number;
    }

    public Engine engine() {
        return engine;
    }

    public boolean isWorking() {
        return engine.failure() == null;
    }

    void reportBreak(Consumer<Throwable> breaks) {
        Throwable failure = engine.failure();
        if (failure != null && isReported.compareAndSet(false, true)) {
            breaks.accept(new IllegalStateException(
                    "engine " + number + " is broken and gets no further requests; its documents are lost", failure));
        }
    }

    void chosen(long choice) {
        lastChoice = choice;
    }

    /// Number of the last choice that took this engine; 0 if none did.
    long lastChoice() {
        return lastChoice;
    }

    int requests() {
        return engine.runningRequests() + engine.waitingRequests();
    }

    double usedMemory() {
        return engine.memoryInUse().share();
    }

    /// The engine holds a document.
    ///
    /// @param ids its tokens; not copied, and known by their identity
    public synchronized void holds(int[] ids) {
        documents.add(ids);
    }

    /// The engine does not hold the document any more.
    public synchronized void frees(int[] ids) {
        documents.remove(ids);
    }

    synchronized void gets(int[] prompt) {
        prompts.addLast(prompt);
        while (prompts.size() > keptPrompts) {
            prompts.removeFirst();
        }
    }

    /// Number of tokens of the longest document or prompt that is the beginning of `prompt`; 0 if that
    /// is less than half of it.
    synchronized int heldTokens(int[] prompt) {
        int most = 0;
        for (int[] ids : documents) {
            most = begins(ids, prompt) ? Math.max(most, ids.length) : most;
        }
        for (int[] ids : prompts) {
            most = begins(ids, prompt) ? Math.max(most, ids.length) : most;
        }
        return most >= prompt.length / LEAST_SHARE ? most : 0;
    }

    private static boolean begins(int[] beginning, int[] whole) {
        return beginning.length <= whole.length
                && Arrays.equals(beginning, 0, beginning.length, whole, 0, beginning.length);
    }
}
