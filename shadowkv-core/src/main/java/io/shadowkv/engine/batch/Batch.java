package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.FetchWatch;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.StepResult;
import io.shadowkv.op.Backend;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The sequences that decode together, each in a slot. Sequences join and leave between steps. Used
/// by one thread at a time; does not own the sequences.
public final class Batch implements AutoCloseable {
    private final Decoder decoder;
    private final DecodeCache decodeCache;
    private final StepBuilder steps;
    private final @Nullable SequenceCache[] slots;
    private final long[] numbers;
    private final Backend backend;
    private final FetchWatch.Watches watches = new FetchWatch.Watches();
    private long joined;

    /// @param slots maximum number of sequences
    public Batch(LoadedModel model, CacheStrategy strategy, int slots) {
        this(model, strategy.openDecode(), slots);
    }

    /// @param decodeCache the cache of the slots, closed with the batch
    /// @param slots maximum number of sequences
    public Batch(LoadedModel model, DecodeCache decodeCache, int slots) {
        this.decoder = model.decoder();
        this.decodeCache = decodeCache;
        this.steps = new StepBuilder(model.backend(), model.rotary());
        this.slots = new SequenceCache[slots];
        this.numbers = new long[slots];
        this.backend = model.backend();
        decoder.reserve(model.backend().rowBucket(slots));
    }

    /// Maximum number of sequences.
    public int size() {
        return slots.length;
    }

    public DecodeCache decodeCache() {
        return decodeCache;
    }

    /// What the steps fetch. Watches may be opened by any thread.
    public FetchWatch.Watches watches() {
        return watches;
    }

    /// The sequence in a slot; null if the slot is empty.
    public @Nullable SequenceCache at(int slot) {
        return slots[slot];
    }

    /// Puts a sequence into the first empty slot.
    ///
    /// @return the slot
    /// @throws IllegalStateException if all slots are taken
    public int join(SequenceCache sequence) {
        for (int slot = 0; slot < slots.length; slot++) {
            if (slots[slot] == null) {
                join(slot, sequence);
                return slot;
            }
        }
        throw new IllegalStateException("all " + slots.length + " slots are taken");
    }

    /// Puts a sequence into an empty slot.
    public void join(int slot, SequenceCache sequence) {
        if (slots[slot] != null) {
            throw new IllegalStateException("slot " + slot + " holds a sequence");
        }
        decodeCache.join(slot, sequence);
        slots[slot] = sequence;
        numbers[slot] = joined++;
    }

    /// The sequence in a slot has other memory now.
    public void moved(int slot) {
        decodeCache.join(slot, sequence(slot));
    }

    /// Empties a slot; the sequence stays open.
    public void leave(int slot) {
        decodeCache.leave(slot);
        slots[slot] = null;
    }

    /// Makes room for new tokens of a sequence if it has none.
    ///
    /// @return number of tokens that fit; 0 if the sequence is at its capacity
    public int makeRoom(int slot) {
        SequenceCache sequence = sequence(slot);
        if (sequence.room() == 0 && sequence.length() < sequence.capacity()) {
            decodeCache.makeRoom(slot);
        }
        return sequence.room();
    }

    /// Makes room as [#makeRoom] does, but does not wait for work on the side queue.
    ///
    /// @return number of tokens that fit; 0 while that work is under way
    public int beginRoom(int slot) {
        SequenceCache sequence = sequence(slot);
        boolean needsRoom = sequence.room() == 0 && sequence.length() < sequence.capacity();
        return needsRoom && !decodeCache.beginRoom(slot) ? 0 : sequence.room();
    }

    /// Waits for the work that [#beginRoom] has begun.
    public void settle(int slot) {
        decodeCache.settle(slot);
    }

    /// New tokens of the sequence in a slot.
    ///
    /// @param ids one or more tokens, in order; at most as many as [#makeRoom] returned
    /// @param wantsLogits true if the logits after the last token are needed
    public record Input(int slot, int[] ids, boolean wantsLogits) {}

    /// Decodes new tokens.
    ///
    /// @param inputs at most one for each slot, at least one
    public Result step(List<Input> inputs) {
        List<StepBuilder.Input> parts = new ArrayList<>();
        for (Input input : inputs) {
            parts.add(new StepBuilder.Input(input.slot(), sequence(input.slot()), input.ids(), input.wantsLogits()));
        }
        StepBuilder.Built built = steps.build(parts);
        Result result = new Result(decoder.decode(built.step(), decodeCache), built.logitSlots());
        if (watches.areDue(System.nanoTime())) {
            look(inputs);
        }
        return result;
    }

    private void look(List<Input> inputs) {
        backend.synchronize();
        long start = System.nanoTime();
        List<SequenceFetches> found = new ArrayList<>();
        for (Input input : inputs) {
            SequenceCache sequence = sequence(input.slot());
            found.add(new SequenceFetches(numbers[input.slot()], sequence.length(), sequence.fetches()));
        }
        watches.looked(found, start, System.nanoTime());
    }

    private SequenceCache sequence(int slot) {
        return Objects.requireNonNull(slots[slot], () -> "slot " + slot + " holds no sequence");
    }

    /// The result of a step for each input that wanted logits. Valid until the next step.
    ///
    /// @param rows rows of logits
    /// @param slots slot of each row
    public record Result(StepResult rows, int[] slots) {
        public int size() {
            return rows.size();
        }

        public int slot(int row) {
            return slots[row];
        }
    }

    /// Frees what the slots share; the sequences stay open.
    @Override
    public void close() {
        steps.close();
        decodeCache.close();
    }
}
