package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.Request;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.PrefillMonitor;
import io.shadowkv.model.PromptRows;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.model.StepResult;
import io.shadowkv.op.Backend;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Runs sequences together: admits as many as the memory plan allows, reads their prompts, decodes
/// all active sequences in one step, and removes each when it ends. Used by one thread at a time.
public final class Scheduler implements AutoCloseable {
    /// Maximum number of new tokens of one sequence in one step, for a later turn with many tokens:
    /// enough rows for efficient projections.
    private static final int TURN_ROWS = 64;

    private final int prefillRows;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final RotaryTables rotary;
    private final Planner planner;
    private final DecodeCache decodeCache;
    private final StepBuilder steps;
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    private final @Nullable Sequence[] slots;

    public Scheduler(
            EngineOptions options,
            Backend backend,
            Decoder decoder,
            CacheStrategy strategy,
            RotaryTables rotary,
            Planner planner) {
        this.prefillRows = options.prefillRows(backend);
        this.decoder = decoder;
        this.strategy = strategy;
        this.rotary = rotary;
        this.planner = planner;
        this.decodeCache = strategy.openDecode();
        this.steps = new StepBuilder(backend);
        this.slots = new Sequence[options.maxBatch()];
        decoder.reserve(backend.rowBucket(options.maxBatch()));
    }

    public DecodeCache decodeCache() {
        return decodeCache;
    }

    /// Runs sequences until all have ended. If one fails, all are removed; their caches stay open.
    ///
    /// @return the completions, in the order of the sequences
    public List<Completion> run(List<Sequence> sequences) {
        try {
            sequences.forEach(this::submit);
            while (!sequences.stream().allMatch(Sequence::isFinished)) {
                step();
            }
        } finally {
            withdraw(sequences);
        }
        return sequences.stream().map(Sequence::completion).toList();
    }

    public void submit(Sequence sequence) {
        waiting.add(sequence);
    }

    /// Removes sequences, whether waiting or active; their caches stay open.
    public void withdraw(List<Sequence> sequences) {
        waiting.removeAll(sequences);
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence != null && sequences.contains(sequence)) {
                leave(slot);
            }
        }
    }

    /// Admits sequences and reads their prompts, then runs one decode step. Removes the sequences
    /// that have ended.
    public void step() {
        waiting.forEach(Sequence::checkCancellation);
        waiting.removeIf(Sequence::isFinished);
        List<Sequence> admitted = admit();
        if (!admitted.isEmpty()) {
            read(admitted);
        }
        removeEnded();
        decode();
        removeEnded();
    }

    private List<Sequence> admit() {
        List<Sequence> admitted = new ArrayList<>();
        int rows = 0;
        while (!waiting.isEmpty() && running().size() + admitted.size() < slots.length) {
            Sequence next = waiting.getFirst();
            boolean continues = next.cache() != null;
            if (continues) {
                join(waiting.removeFirst());
                continue;
            }
            List<Sequence> others = new ArrayList<>(running());
            others.addAll(admitted);
            boolean fits = planner.fitsBeside(others, next.planned());
            boolean shares = admitted.isEmpty() || rows + next.length() <= 2 * prefillRows;
            if (!fits && others.isEmpty()) {
                waiting.removeFirst();
                throw new MemoryPlanException(planner.refusal(next.capacity()));
            }
            if (!fits || !shares) {
                break;
            }
            admitted.add(waiting.removeFirst());
            rows += next.length();
        }
        return admitted;
    }

    private List<Sequence> running() {
        List<Sequence> running = new ArrayList<>();
        for (Sequence sequence : slots) {
            if (sequence != null) {
                running.add(sequence);
            }
        }
        return running;
    }

    private void read(List<Sequence> sequences) {
        List<PromptRows> prompts = new ArrayList<>();
        try {
            for (Sequence sequence : sequences) {
                int[] ids = sequence.toRead();
                var table = rotary.forSequence(ids.length, sequence.capacity());
                PromptCache cache =
                        strategy.openPrompt(ids.length, sequence.planned().size(), table);
                prompts.add(new PromptRows(ids, cache, table));
            }
            long start = System.nanoTime();
            ReadingMonitor monitor = new ReadingMonitor(sequences);
            List<float[]> logits = new ArrayList<>();
            decoder.prefill(prompts, prefillRows, monitor, false, logits::add);
            for (int i = 0; i < sequences.size(); i++) {
                Sequence sequence = sequences.get(i);
                long sealing = System.nanoTime();
                sequence.holds(prompts.get(i).cache().seal());
                long end = System.nanoTime();
                sequence.prefillNanos += end - start;
                sequence.indexingWaitNanos += monitor.indexingWaitNanos + end - sealing;
                join(sequence);
                if (sequence.pendingCount() == 0) {
                    sequence.accept(logits.get(i));
                }
                sequence.checkCancellation();
            }
        } catch (NobodyWaitsException e) {
            sequences.forEach(Sequence::checkCancellation);
        } finally {
            prompts.forEach(prompt -> prompt.cache().close());
        }
    }

    private void join(Sequence sequence) {
        for (int slot = 0; slot < slots.length; slot++) {
            if (slots[slot] == null) {
                slots[slot] = sequence;
                decodeCache.join(slot, sequence.requireCache());
                return;
            }
        }
        throw new IllegalStateException("all " + slots.length + " slots are taken");
    }

    private void leave(int slot) {
        decodeCache.leave(slot);
        slots[slot] = null;
    }

    private void removeEnded() {
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence == null) {
                continue;
            }
            sequence.checkCancellation();
            if (sequence.isFinished()) {
                leave(slot);
                sequence.retire();
            } else if (mustReadAgain(sequence)) {
                leave(slot);
                sequence.requireCache().close();
                sequence.holds(null);
                waiting.addFirst(sequence);
            }
        }
    }

    /// Longrope uses different tables for long sequences. A sequence that grows beyond the limit is
    /// read again, as in transformers, because its keys were rotated with the tables for short
    /// sequences.
    private boolean mustReadAgain(Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        return rotary.isShort(cache.length()) && !rotary.isShort(cache.length() + sequence.pendingCount());
    }

    private void decode() {
        List<StepBuilder.Input> parts = new ArrayList<>();
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence != null) {
                parts.add(part(slot, sequence));
            }
        }
        if (parts.isEmpty()) {
            return;
        }
        long start = System.nanoTime();
        StepBuilder.Built built = steps.build(parts);
        StepResult result = decoder.decode(built.step(), decodeCache);
        long nanos = System.nanoTime() - start;
        for (StepBuilder.Input part : parts) {
            Sequence sequence = Objects.requireNonNull(slots[part.slot()]);
            if (sequence.hasRead(part.ids().length)) {
                sequence.prefillNanos += nanos;
            } else {
                sequence.decodeNanos += nanos;
                sequence.decodeSteps++;
            }
        }
        for (int i = 0; i < result.size(); i++) {
            Objects.requireNonNull(slots[built.logitSlots()[i]]).accept(result, i);
        }
    }

    private StepBuilder.Input part(int slot, Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        if (cache.room() == 0) {
            decodeCache.makeRoom(slot);
        }
        int[] ids = sequence.pending(Math.min(TURN_ROWS, cache.room()));
        boolean isLast = ids.length == sequence.pendingCount();
        return new StepBuilder.Input(slot, cache, ids, isLast);
    }

    @Override
    public void close() {
        waiting.clear();
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence != null) {
                sequence.requireCache().close();
                leave(slot);
            }
        }
        steps.close();
        decodeCache.close();
    }

    /// Ends a prefill whose sequences were all cancelled. A separate type, so that it is not
    /// confused with an exception of a listener.
    private static final class NobodyWaitsException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NobodyWaitsException() {
            super("every sequence of this prefill was cancelled");
        }
    }

    /// Forwards progress, and stops a prefill whose sequences were all cancelled.
    private static final class ReadingMonitor implements PrefillMonitor {
        private final List<Sequence> sequences;
        private long indexingWaitNanos;

        ReadingMonitor(List<Sequence> sequences) {
            this.sequences = sequences;
        }

        @Override
        public void progress(double done) {
            boolean anyWaits = false;
            for (Sequence sequence : sequences) {
                Request request = sequence.request();
                request.listener().reading(done);
                anyWaits |= !request.cancellation().isRequested();
            }
            if (!anyWaits) {
                throw new NobodyWaitsException();
            }
        }

        @Override
        public void waitedForIndexing(long nanos) {
            indexingWaitNanos += nanos;
        }
    }
}
