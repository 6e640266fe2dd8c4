package io.shadowkv.cache;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.cache.prefill.RowOrder;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/// Writes keys and values directly to the rows where decode steps read them, behind `first` rows that
/// are there already. The end of a layer needs no work.
public final class RowsPromptCache implements PromptCache {
    private final AttentionOperations operations;
    private final PromptAttention attention;
    private final int first;
    private final List<AttendedRows> layers;
    private final int[] counts;
    private final IntFunction<SequenceCache> whenSealed;
    private final Runnable whenAbandoned;
    private boolean isSealed;

    /// Behind the rows of a sequence; if they are abandoned the sequence stays as it was, since rows
    /// after its last token are not read.
    ///
    /// @param attention how the new rows attend; closed by this
    /// @param layers the rows of every layer; row t belongs to token t
    /// @param first number of tokens in the rows
    /// @param whenSealed receives the number of tokens that all layers hold
    public RowsPromptCache(
            Backend backend,
            PromptAttention attention,
            List<AttendedRows> layers,
            int first,
            IntFunction<SequenceCache> whenSealed) {
        this(backend, attention, layers, first, whenSealed, () -> {});
    }

    /// @param attention how the new rows attend; closed by this
    /// @param layers the rows of every layer; row t belongs to token t
    /// @param first number of tokens in the rows
    /// @param whenSealed receives the number of tokens that all layers hold
    /// @param whenAbandoned called if the rows are not needed
    public RowsPromptCache(
            Backend backend,
            PromptAttention attention,
            List<AttendedRows> layers,
            int first,
            IntFunction<SequenceCache> whenSealed,
            Runnable whenAbandoned) {
        this.operations = backend.operations().attention();
        this.attention = attention;
        this.first = first;
        this.layers = List.copyOf(layers);
        this.counts = new int[layers.size()];
        this.whenSealed = whenSealed;
        this.whenAbandoned = whenAbandoned;
        Arrays.fill(counts, first);
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values) {
        AttendedRows rows = layers.get(layer);
        operations.store(keys, rows.keys(), counts[layer]);
        operations.store(values, rows.values(), counts[layer]);
        counts[layer] += keys.extent(0);
    }

    @Override
    public RowOrder order() {
        return attention.order();
    }

    @Override
    public void observe(int layer, Tensor queries, double scale) {
        attention.observe(layer, layers.get(layer), counts[layer], queries, scale);
    }

    @Override
    public void attend(int layer, int firstNew, Tensor queries, double scale, Tensor out) {
        attention.attend(layer, layers.get(layer), counts[layer], first + firstNew, queries, scale, out);
    }

    @Override
    public List<LayerDensity> densities() {
        return attention.densities();
    }

    @Override
    public void finishLayer(int layer) {}

    @Override
    public SequenceCache seal() {
        for (int layer = 1; layer < counts.length; layer++) {
            if (counts[layer] != counts[0]) {
                throw new IllegalStateException("layer " + layer + " holds " + counts[layer] + " tokens, layer 0 "
                        + counts[0] + "; finish the prompt first");
            }
        }
        isSealed = true;
        attention.close();
        return whenSealed.apply(counts[0]);
    }

    @Override
    public void close() {
        if (!isSealed) {
            attention.close();
            whenAbandoned.run();
        }
    }
}
