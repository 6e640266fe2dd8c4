package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.model.Prefill;
import io.shadowkv.model.PromptRows;
import io.shadowkv.tensor.CloseAll;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/// The reading of one or more prompts, which can be interrupted after every unit: some rows of one
/// layer. Prompts get their number from the order in which they were given.
///
/// Used by one thread at a time. Owns the activations and the caches of prompts that are neither
/// sealed nor dropped.
public final class Reading implements AutoCloseable {
    private final List<PromptRows> prompts;
    private final boolean[] isDropped;
    private final Prefill prefill;
    private final int prefillRows;

    private Reading(List<PromptRows> prompts, Prefill prefill, int prefillRows) {
        this.prompts = prompts;
        this.isDropped = new boolean[prompts.size()];
        this.prefill = prefill;
        this.prefillRows = prefillRows;
    }

    /// A prompt to read.
    ///
    /// @param ids tokens, every id within the vocabulary
    /// @param size size that the sequence is allocated for
    public record Prompt(int[] ids, SequenceSize size) {}

    /// Further tokens of a sequence to read.
    ///
    /// @param ids tokens, every id within the vocabulary
    /// @param base the sequence that the tokens follow
    public record Turn(int[] ids, SequenceCache base) {}

    /// Allocates all memory that the reading and the sequences need.
    ///
    /// @param prefillRows maximum number of rows of a unit
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; nothing is
    ///     allocated then
    public static Reading open(LoadedModel model, CacheStrategy strategy, List<Prompt> prompts, int prefillRows) {
        List<PromptRows> rows = new ArrayList<>();
        try {
            for (Prompt prompt : prompts) {
                int tokens = prompt.ids().length;
                var table = model.rotary().forSequence(tokens, prompt.size().capacityTokens());
                PromptCache cache = strategy.openPrompt(tokens, prompt.size(), table);
                rows.add(new PromptRows(prompt.ids(), cache, table, 0));
            }
            return open(model, rows, prefillRows);
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, rows, row -> row.cache().close());
            throw e;
        }
    }

    /// Opens the reading of further tokens of several sequences. What sequences share is restored once
    /// for all of them; see [CacheStrategy#extend].
    ///
    /// @param prefillRows maximum number of rows of a unit
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; nothing is
    ///     allocated then
    public static Reading openTurns(LoadedModel model, CacheStrategy strategy, List<Turn> turns, int prefillRows) {
        List<PromptCache> caches = strategy.extend(turns.stream()
                .map(turn -> new CacheStrategy.Turn(turn.base(), turn.ids().length))
                .toList());
        try {
            List<PromptRows> rows = new ArrayList<>();
            for (int i = 0; i < turns.size(); i++) {
                SequenceCache base = turns.get(i).base();
                var table = model.rotary().latest(base.rotary());
                rows.add(new PromptRows(turns.get(i).ids(), caches.get(i), table, base.length()));
            }
            return open(model, rows, prefillRows);
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, caches, PromptCache::close);
            throw e;
        }
    }

    private static Reading open(LoadedModel model, List<PromptRows> rows, int prefillRows) {
        return new Reading(List.copyOf(rows), model.decoder().openPrefill(rows, prefillRows), prefillRows);
    }

    /// Computes one unit and waits for it.
    ///
    /// @param maxRows maximum number of rows, 1 or more
    public void advance(int maxRows) {
        prefill.advance(maxRows);
    }

    /// Reads to the end.
    ///
    /// @param progress receives the completed share after every unit; an exception ends the reading
    public void run(DoubleConsumer progress) {
        while (!isDone()) {
            advance(prefillRows);
            progress.accept(done());
        }
    }

    public boolean isDone() {
        return prefill.isDone();
    }

    /// Completed share of the work, from 0 to 1.
    public double done() {
        return prefill.done();
    }

    /// Time that was spent waiting for the indexing of finished layers.
    public long indexingWaitNanos() {
        return prefill.indexingWaitNanos();
    }

    /// True if every prompt was dropped.
    public boolean isAbandoned() {
        for (boolean dropped : isDropped) {
            if (!dropped) {
                return false;
            }
        }
        return true;
    }

    /// Leaves a prompt out and frees the memory of its sequence. A sequence that further tokens were
    /// read for stays as it was.
    public void drop(int prompt) {
        if (!isDropped[prompt]) {
            isDropped[prompt] = true;
            prefill.drop(prompts.get(prompt));
            prompts.get(prompt).cache().close();
        }
    }

    /// The logits after the last token of a prompt, `[vocabulary]`.
    ///
    /// @throws IllegalStateException before the reading is done
    public float[] logits(int prompt) {
        float[][] last = new float[1][];
        prefill.logits(prompts.get(prompt), false, row -> last[0] = row);
        return last[0];
    }

    /// Passes the logits after every token of a prompt to `sink`, in order.
    ///
    /// @throws IllegalStateException before the reading is done
    public void allLogits(int prompt, Consumer<float[]> sink) {
        prefill.logits(prompts.get(prompt), true, sink);
    }

    /// How much of each layer's attention was computed for a prompt; empty if it is read exactly.
    /// Must not be called after [#seal].
    public List<LayerDensity> densities(int prompt) {
        return prompts.get(prompt).cache().densities();
    }

    /// Ends the reading of one prompt.
    ///
    /// @return the sequence, which the caller must close; if its further tokens were read, the base
    public SequenceCache seal(int prompt) {
        return prompts.get(prompt).cache().seal();
    }

    /// Frees the activations, and the sequences that were not sealed.
    @Override
    public void close() {
        List<Runnable> closing = new ArrayList<>(List.of(prefill::close));
        prompts.forEach(prompt -> closing.add(prompt.cache()::close));
        CloseAll.of(closing, Runnable::run);
    }

    @Override
    public String toString() {
        int[] tokens = prompts.stream().mapToInt(prompt -> prompt.ids().length).toArray();
        return "Reading[" + Arrays.toString(tokens) + " tokens, done " + done() + "]";
    }
}
