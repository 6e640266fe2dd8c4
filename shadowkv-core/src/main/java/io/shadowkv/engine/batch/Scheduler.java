package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Preemptions;
import io.shadowkv.engine.model.LoadedModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Runs sequences together, round by round: admits what fits the memory, decodes one step of all
/// active sequences, and reads prompts for a limited time. What fails for one sequence ends that
/// sequence.
///
/// Used by one thread at a time. An exception that leaves [#round] means that the backend is broken.
public final class Scheduler implements AutoCloseable {
    /// Maximum number of new tokens of one sequence in one step, for a turn that is decoded: enough
    /// rows for efficient projections.
    private static final int STEP_TOKENS = 64;

    private final LoadedModel model;
    private final CacheStrategy strategy;
    private final Planner planner;
    private final Ledger ledger;
    private final Admission admission;
    private final Prefixes prefixes;
    private final Growth growth;
    private final Batch batch;
    private final Readings readings;
    private final BatchSampler sampler;
    private final @Nullable Sequence[] slots;
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
        int prefillRows = options.prefillRows(model.backend());
        this.prefixes = new Prefixes(ledger, options.keptPrompts());
        this.readings = new Readings(
                model,
                ledger,
                prefixes,
                prefillRows,
                new ReadingPace(options.readingGap().toNanos()));
        this.growth = new Growth(model.backend(), planner, ledger, prefixes, slots.length);
        this.admission =
                new Admission(model, strategy, planner, ledger, prefixes, readings, growth, slots.length, prefillRows);
    }

    public Batch batch() {
        return batch;
    }

    public Ledger ledger() {
        return ledger;
    }

    /// Number of sequences that wait to be admitted.
    public int waiting() {
        return admission.waiting();
    }

    /// Number of sequences that are being read or decode.
    public int running() {
        return active().size() + readings.sequences().size();
    }

    public boolean isIdle() {
        return waiting() == 0 && running() == 0;
    }

    public void submit(Sequence sequence) {
        admission.submit(sequence);
    }

    /// Admits sequences, decodes one step, and reads prompts.
    ///
    /// @return false if there was nothing to do before a consumer of events catches up, a request is
    ///     cancelled or its time passes
    public boolean round() {
        hasWorked = admission.endWaiting();
        readings.endCancelled();
        retire();
        Admission.Admitted admitted = admission.admit(running());
        hasWorked |= admitted.hasWorked();
        admitted.joining().forEach(this::join);
        retire();
        long stepNanos = decode();
        retire();
        hasWorked |= readings.canAdvance();
        for (Readings.Sealed sealed : readings.advance(!active().isEmpty(), stepNanos)) {
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
        List<Sequence> all = new ArrayList<>(admission.removeAll());
        all.addAll(active());
        all.addAll(readings.sequences());
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

    private void begin(Readings.Sealed sealed) {
        Sequence sequence = sealed.sequence();
        if (sequence.isReadOnly()) {
            sequence.kept(prefixes.keep(sequence.ids(), sequence.requireCache(), sealed.logits()));
            prefixes.end(sequence);
            return;
        }
        if (admission.readsTurn(sequence)) {
            admission.returns(sequence);
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

    /// Waits for what is under way in a slot. A failure ends the sequence.
    private void settle(int slot, Sequence sequence) {
        sequence.guarded(settled -> batch.settle(slot));
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
                settle(slot, sequence);
                leave(slot);
                prefixes.end(sequence);
            } else if (admission.crossesRotaryLimit(sequence)) {
                leave(slot);
                sequence.readsAnswer();
                admission.readAgain(sequence);
                admission.returns(sequence);
            }
        }
    }

    /// Gives the sequences that decode next the memory that they need, the most important one first.
    ///
    /// @return sequences that must wait until others give memory back
    private Set<Sequence> grow() {
        Set<Sequence> stalled = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Sequence sequence : Policy.byImportance(active())) {
            while (needsMemory(sequence) && !grown(sequence)) {
                if (!preemptFor(sequence) && !dropParked()) {
                    stall(sequence, stalled);
                    break;
                }
            }
        }
        return stalled;
    }

    private boolean needsMemory(Sequence sequence) {
        return slotOf(sequence) >= 0 && sequence.events().isReady() && Growth.isNeeded(sequence.requireCache());
    }

    private int slotOf(Sequence sequence) {
        return Arrays.asList(slots).indexOf(sequence);
    }

    private boolean grown(Sequence sequence) {
        boolean hasGrown = growth.grow(sequence);
        batch.moved(slotOf(sequence));
        return hasGrown;
    }

    /// Preempts a sequence, the least important one first: if all others keep their memory, the one
    /// that needs more.
    ///
    /// @return false if it is the only one that decodes, or none can be preempted
    private boolean preemptFor(Sequence sequence) {
        List<Sequence> running = Policy.byImportance(active());
        int own = running.indexOf(sequence);
        for (int i = running.size() - 1; i >= (own == 0 ? 1 : own); i--) {
            Sequence victim = running.get(i);
            settle(slotOf(victim), victim);
            leave(slotOf(victim));
            if (growth.preempt(victim)) {
                hasWorked = true;
                admission.returns(victim);
                return true;
            }
            slots[batch.join(victim.requireCache())] = victim;
        }
        return false;
    }

    /// Frees host memory if no reading will give memory back.
    private boolean dropParked() {
        return readings.sequences().isEmpty() && admission.dropParked(null);
    }

    /// A sequence that cannot grow waits for readings and for more important sequences. If there are
    /// none, idle caches hold the memory.
    private void stall(Sequence sequence, Set<Sequence> stalled) {
        stalled.add(sequence);
        if (active().size() == 1 && readings.sequences().isEmpty()) {
            sequence.fail(new MemoryPlanException(planner.refusal(sequence.capacity(), ledger.sealedBytes())));
        }
    }

    /// Counters of preempted sequences. Thread-safe.
    public Preemptions preemptions() {
        return new Preemptions(growth.parked(), growth.replayed());
    }

    /// @return nanoseconds of the step; 0 if no sequence had a token to decode
    private long decode() {
        Set<Sequence> stalled = grow();
        List<Batch.Input> inputs = inputs(stalled, false);
        if (inputs.isEmpty() && !readings.canAdvance()) {
            // Nothing else can be done while a sequence is indexed.
            inputs = inputs(stalled, true);
        }
        if (inputs.isEmpty()) {
            return 0;
        }
        List<Sequence> decoding = inputs.stream()
                .map(input -> Objects.requireNonNull(slots[input.slot()]))
                .toList();
        hasWorked = true;
        long start = System.nanoTime();
        Batch.Result result;
        try {
            result = batch.step(inputs);
        } catch (RuntimeException e) {
            fail(decoding, e);
            return System.nanoTime() - start;
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
        return System.nanoTime() - start;
    }

    /// The next tokens of all sequences that can decode.
    ///
    /// @param waits true to wait for sequences that are being indexed
    private List<Batch.Input> inputs(Set<Sequence> stalled, boolean waits) {
        List<Batch.Input> inputs = new ArrayList<>();
        for (int slot = 0; slot < slots.length; slot++) {
            Sequence sequence = slots[slot];
            if (sequence != null && !stalled.contains(sequence) && sequence.events().isReady()) {
                Batch.Input input = sequence.isFinished() ? null : input(slot, sequence, waits);
                if (input != null) {
                    inputs.add(input);
                }
            }
        }
        return inputs;
    }

    /// The next tokens of a sequence; null if there is no room yet or making room failed.
    private Batch.@Nullable Input input(int slot, Sequence sequence, boolean waits) {
        try {
            int room = waits ? batch.makeRoom(slot) : batch.beginRoom(slot);
            if (room == 0) {
                return null;
            }
            int[] ids = sequence.pending(Math.min(STEP_TOKENS, room));
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
