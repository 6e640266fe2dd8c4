package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.op.BackendMemoryException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Runs sequences together, round by round: admits what fits the memory, decodes one step of all
/// active sequences, and reads prompts for a limited time. What fails for one sequence ends that
/// sequence.
///
/// Used by one thread at a time. An exception that leaves [#round] means that the backend is broken.
public final class Scheduler implements AutoCloseable {
    /// Maximum number of new tokens of one sequence in one step, for a later turn with many tokens:
    /// enough rows for efficient projections.
    private static final int TURN_ROWS = 64;

    private final LoadedModel model;
    private final CacheStrategy strategy;
    private final Planner planner;
    private final Ledger ledger;
    private final Prefixes prefixes;
    private final Batch batch;
    private final Readings readings;
    private final BatchSampler sampler;
    private final List<Sequence> waiting = new ArrayList<>();
    private final @Nullable Sequence[] slots;
    private final int prefillRows;
    private long submitted;
    private boolean hasWorked;

    /// @param strategy the strategy of `options`
    public Scheduler(LoadedModel model, EngineOptions options, CacheStrategy strategy, Planner planner) {
        this.model = model;
        this.strategy = strategy;
        this.planner = planner;
        this.ledger = new Ledger(planner);
        this.batch = new Batch(model, strategy, options.maxBatch());
        this.slots = new Sequence[options.maxBatch()];
        this.sampler = new BatchSampler(model.backend());
        this.prefillRows = options.prefillRows(model.backend());
        this.prefixes = new Prefixes(ledger, options.keptPrompts());
        this.readings = new Readings(
                model, ledger, prefixes, prefillRows, options.readingBudget().toNanos());
    }

    public DecodeCache decodeCache() {
        return batch.decodeCache();
    }

    public Ledger ledger() {
        return ledger;
    }

    /// Number of sequences that wait to be admitted.
    public int waiting() {
        return waiting.size();
    }

    /// Number of sequences that are being read or decode.
    public int running() {
        return active().size() + readings.sequences().size();
    }

    public boolean isIdle() {
        return waiting.isEmpty() && running() == 0;
    }

    public void submit(Sequence sequence) {
        sequence.submitted(submitted++);
        waiting.add(sequence);
    }

    /// Admits sequences, decodes one step, and reads prompts.
    ///
    /// @return false if there was nothing to do before a consumer of events catches up, a request is
    ///     cancelled or its time passes
    public boolean round() {
        hasWorked = false;
        endWaiting();
        readings.endCancelled();
        retire();
        admit();
        retire();
        decode();
        retire();
        hasWorked |= readings.canAdvance();
        for (Readings.Sealed sealed : readings.advance(!active().isEmpty())) {
            begin(sealed);
        }
        retire();
        return hasWorked;
    }

    /// Runs rounds until these sequences have ended.
    public void run(Collection<Sequence> sequences) {
        sequences.forEach(this::submit);
        while (!sequences.stream().allMatch(Sequence::isFinished)) {
            round();
        }
    }

    /// Ends every sequence with a failure and frees everything, including idle caches.
    public void failAll(RuntimeException reason) {
        List<Sequence> all = new ArrayList<>(waiting);
        all.addAll(active());
        all.addAll(readings.sequences());
        waiting.clear();
        for (int slot = 0; slot < slots.length; slot++) {
            if (slots[slot] != null) {
                leave(slot);
            }
        }
        all.forEach(sequence -> sequence.fail(reason));
        readings.closeAll();
        all.forEach(prefixes::end);
        ledger.closeAll();
    }

    private void endWaiting() {
        for (Sequence sequence : List.copyOf(waiting)) {
            if (sequence.mustEnd()) {
                hasWorked = true;
                waiting.remove(sequence);
                prefixes.end(sequence);
            }
        }
    }

    private void admit() {
        List<Sequence> admitted = new ArrayList<>();
        int rows = 0;
        while (!waiting.isEmpty() && running() + admitted.size() < slots.length) {
            Sequence next = Policy.next(waiting);
            Prefix prefix = prefixOf(next);
            if (next.cache() != null || (prefix != null && fork(prefix, next, admitted))) {
                waiting.remove(next);
                join(next);
                continue;
            }
            if (prefix != null && (running() > 0 || !admitted.isEmpty())) {
                // Waits for memory instead of reading again what is in memory already.
                break;
            }
            boolean shares = admitted.isEmpty() || rows + next.length() <= 2 * prefillRows;
            if (!shares || !readings.hasRoom()) {
                break;
            }
            if (!prefixes.makeRoom(next.planned(), admitted)) {
                if (running() > 0 || !admitted.isEmpty()) {
                    break;
                }
                waiting.remove(next);
                refuse(next);
                continue;
            }
            waiting.remove(next);
            admitted.add(next);
            rows += next.length();
        }
        if (!admitted.isEmpty()) {
            hasWorked = true;
            open(admitted);
        }
    }

    /// The longest prefix that a sequence can continue; null if there is none.
    private @Nullable Prefix prefixOf(Sequence sequence) {
        if (sequence.cache() != null || sequence.keepsCache() || sequence.isReadOnly()) {
            return null;
        }
        Prefix prefix = prefixes.longest(sequence.ids());
        return prefix == null || crossesRotaryLimit(prefix.ids().length, sequence.length()) ? null : prefix;
    }

    /// Gives a sequence a fork of a prefix.
    ///
    /// @return false if there is no memory for it
    private boolean fork(Prefix prefix, Sequence sequence, List<Sequence> admitted) {
        PlannedSequence planned = Prefixes.planned(prefix, sequence.capacity());
        prefixes.use(prefix);
        try {
            if (!prefixes.makeRoom(planned, admitted)) {
                return false;
            }
            // The fork may reach positions that no table covers yet.
            model.rotary().forSequence(prefix.ids().length, sequence.capacity());
            prefixes.fork(prefix, planned, sequence);
            return true;
        } catch (BackendMemoryException e) {
            return false;
        } finally {
            prefixes.leave(prefix);
        }
    }

    /// Nothing runs, so all that the ledger holds is idle.
    private void refuse(Sequence sequence) {
        sequence.fail(new MemoryPlanException(planner.refusal(sequence.capacity(), ledger.sealedBytes())));
        prefixes.end(sequence);
    }

    /// Opens a reading. If the backend has less memory than the plan says, the sequences wait until
    /// others have ended.
    private void open(List<Sequence> admitted) {
        try {
            readings.open(strategy, admitted);
        } catch (BackendMemoryException e) {
            if (running() > 0) {
                waiting.addAll(admitted);
            } else if (admitted.size() > 1) {
                waiting.addAll(admitted.subList(1, admitted.size()));
                open(admitted.subList(0, 1));
            } else {
                admitted.getFirst().fail(e);
                prefixes.end(admitted.getFirst());
            }
        } catch (RuntimeException e) {
            fail(admitted, e);
            admitted.forEach(prefixes::end);
        }
    }

    private void begin(Readings.Sealed sealed) {
        Sequence sequence = sealed.sequence();
        if (sequence.isReadOnly()) {
            sequence.kept(prefixes.keep(sequence.ids(), sequence.requireCache(), sealed.logits()));
            prefixes.end(sequence);
            return;
        }
        join(sequence);
        if (sequence.pendingCount() == 0 && !sequence.isFinished()) {
            sequence.accept(sealed.logits());
        }
    }

    private void join(Sequence sequence) {
        hasWorked = true;
        slots[batch.join(sequence.requireCache())] = sequence;
        sequence.admitted();
        float[] known = sequence.knownLogits();
        if (known != null && sequence.pendingCount() == 0) {
            sequence.accept(known.clone());
        }
    }

    /// Allocates a kept prompt to restore; the caller fills its tensors and then keeps it.
    ///
    /// @param numbers numbers of the saved state
    /// @throws MemoryPlanException if it does not fit
    public SequenceCache restore(PlannedSequence planned, Map<String, Long> numbers) {
        int tokens = planned.size().capacityTokens();
        if (!prefixes.makeRoom(planned, List.of())) {
            throw new MemoryPlanException(planner.refusal(tokens, ledger.sealedBytes()));
        }
        SequenceCache cache = strategy.restore(planned.size(), model.rotary().forSequence(tokens, tokens), numbers);
        ledger.holds(cache, planned);
        return cache;
    }

    /// The prompts that are kept for other sequences.
    public Prefixes prefixes() {
        return prefixes;
    }

    private void leave(int slot) {
        batch.leave(slot);
        slots[slot] = null;
    }

    private List<Sequence> active() {
        List<Sequence> active = new ArrayList<>();
        for (Sequence sequence : slots) {
            if (sequence != null) {
                active.add(sequence);
            }
        }
        return active;
    }

    /// Removes active sequences that have ended.
    private void retire() {
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence == null) {
                continue;
            }
            if (sequence.mustEnd()) {
                hasWorked = true;
                leave(slot);
                prefixes.end(sequence);
            } else if (mustReadAgain(sequence)) {
                leave(slot);
                ledger.free(sequence.requireCache());
                sequence.holds(null);
                Prefix prefix = sequence.prefix();
                if (prefix != null) {
                    prefixes.leave(prefix);
                    sequence.leavesPrefix();
                }
                waiting.add(sequence);
            }
        }
    }

    /// Longrope uses different tables for long sequences. A sequence that grows beyond the limit is
    /// read again, as in transformers, because its keys were rotated with the tables for short
    /// sequences.
    private boolean mustReadAgain(Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        return crossesRotaryLimit(cache.length(), cache.length() + sequence.pendingCount());
    }

    private boolean crossesRotaryLimit(int before, int after) {
        return model.rotary().isShort(before) && !model.rotary().isShort(after);
    }

    private void decode() {
        List<Batch.Input> inputs = new ArrayList<>();
        List<Sequence> decoding = new ArrayList<>();
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence != null && sequence.events().isReady()) {
                Batch.Input input = input(slot, sequence);
                if (input != null) {
                    inputs.add(input);
                    decoding.add(sequence);
                }
            }
        }
        if (inputs.isEmpty()) {
            return;
        }
        hasWorked = true;
        long start = System.nanoTime();
        Batch.Result result;
        try {
            result = batch.step(inputs);
        } catch (RuntimeException e) {
            fail(decoding, e);
            return;
        }
        long nanos = System.nanoTime() - start;
        for (int i = 0; i < inputs.size(); i++) {
            decoding.get(i).stepped(inputs.get(i).ids().length, nanos);
        }
        List<Sequence> drawing = new ArrayList<>();
        for (int i = 0; i < result.size(); i++) {
            drawing.add(Objects.requireNonNull(slots[result.slot(i)]));
        }
        try {
            sampler.draw(result.rows(), drawing);
        } catch (RuntimeException e) {
            fail(drawing, e);
        }
    }

    /// The next tokens of a sequence; null if making room for them failed.
    private Batch.@Nullable Input input(int slot, Sequence sequence) {
        try {
            int[] ids = sequence.pending(Math.min(TURN_ROWS, batch.makeRoom(slot)));
            return new Batch.Input(slot, ids, ids.length == sequence.pendingCount());
        } catch (RuntimeException e) {
            fail(List.of(sequence), e);
            return null;
        }
    }

    /// Ends sequences with a failure.
    ///
    /// @throws RuntimeException if the backend cannot go on
    private void fail(List<Sequence> sequences, RuntimeException reason) {
        sequences.forEach(sequence -> sequence.fail(reason));
        model.backend().synchronize();
    }

    /// Frees everything. Sequences that run end without an event.
    @Override
    public void close() {
        readings.closeAll();
        for (int slot = 0; slot < slots.length; slot++) {
            if (slots[slot] != null) {
                leave(slot);
            }
        }
        ledger.closeAll();
        sampler.close();
        batch.close();
    }
}
