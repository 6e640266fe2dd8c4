package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.model.Prefill;
import io.shadowkv.model.PromptRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;

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

    /// A prompt to read, or further tokens of a sequence.
    ///
    /// @param ids tokens, every id within the vocabulary
    /// @param size size that the sequence is allocated for
    /// @param base the sequence that the tokens follow; null for a prompt
    public record Prompt(
            int[] ids, SequenceSize size, @Nullable SequenceCache base) {
        public Prompt(int[] ids, SequenceSize size) {
            this(ids, size, null);
        }
    }

    /// Allocates all memory that the reading and the sequences need.
    ///
    /// @param prefillRows maximum number of rows of a unit
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; nothing is
    ///     allocated then
    public static Reading open(LoadedModel model, CacheStrategy strategy, List<Prompt> prompts, int prefillRows) {
        List<PromptRows> rows = new ArrayList<>();
        try {
            for (Prompt prompt : prompts) {
                rows.add(open(model, strategy, prompt));
            }
            return new Reading(List.copyOf(rows), model.decoder().openPrefill(rows, prefillRows), prefillRows);
        } catch (RuntimeException | Error e) {
            rows.forEach(row -> row.cache().close());
            throw e;
        }
    }

    private static PromptRows open(LoadedModel model, CacheStrategy strategy, Prompt prompt) {
        int tokens = prompt.ids().length;
        SequenceCache base = prompt.base();
        if (base != null) {
            PromptCache cache = base.extend(tokens);
            return new PromptRows(prompt.ids(), cache, model.rotary().latest(base.rotary()), base.length());
        }
        var table = model.rotary().forSequence(tokens, prompt.size().capacityTokens());
        PromptCache cache = strategy.openPrompt(tokens, prompt.size(), table);
        return new PromptRows(prompt.ids(), cache, table, 0);
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

    /// Ends the reading of one prompt.
    ///
    /// @return the sequence, which the caller must close; if its further tokens were read, the base
    public SequenceCache seal(int prompt) {
        return prompts.get(prompt).cache().seal();
    }

    /// Frees the activations, and the sequences that were not sealed.
    @Override
    public void close() {
        try {
            prefill.close();
        } finally {
            prompts.forEach(prompt -> prompt.cache().close());
        }
    }

    @Override
    public String toString() {
        int[] tokens = prompts.stream().mapToInt(prompt -> prompt.ids().length).toArray();
        return "Reading[" + Arrays.toString(tokens) + " tokens, done " + done() + "]";
    }
}
