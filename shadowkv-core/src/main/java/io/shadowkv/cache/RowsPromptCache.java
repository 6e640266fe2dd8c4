package io.shadowkv.cache;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// Writes keys and values directly to the rows where decode steps read them, behind `first` rows that
/// are there already. The end of a layer needs no work.
public abstract class RowsPromptCache implements PromptCache {
    private final AttentionOperations attention;
    private final List<AttendedRows> layers;
    private final int[] counts;
    private boolean isSealed;

    /// @param layers the rows of every layer; row t belongs to token t
    /// @param first number of tokens in the rows
    protected RowsPromptCache(Backend backend, List<AttendedRows> layers, int first) {
        this.attention = backend.operations().attention();
        this.layers = List.copyOf(layers);
        this.counts = new int[layers.size()];
        Arrays.fill(counts, first);
    }

    /// All layers hold `tokens` tokens.
    protected abstract SequenceCache sealed(int tokens);

    /// The rows are not needed.
    protected abstract void abandoned();

    @Override
    public final void append(int layer, Tensor keys, Tensor values) {
        AttendedRows rows = layers.get(layer);
        attention.store(keys, rows.keys(), counts[layer]);
        attention.store(values, rows.values(), counts[layer]);
        counts[layer] += keys.extent(0);
    }

    @Override
    public final void attend(int layer, Tensor queries, double scale, Tensor out) {
        AttendedRows rows = layers.get(layer);
        attention.prefill(queries, rows.keys(), rows.values(), counts[layer], scale, out);
    }

    @Override
    public final void finishLayer(int layer) {}

    @Override
    public final SequenceCache seal() {
        for (int layer = 1; layer < counts.length; layer++) {
            if (counts[layer] != counts[0]) {
                throw new IllegalStateException("layer " + layer + " holds " + counts[layer] + " tokens, layer 0 "
                        + counts[0] + "; finish the prompt first");
            }
        }
        isSealed = true;
        return sealed(counts[0]);
    }

    @Override
    public final void close() {
        if (!isSealed) {
            abandoned();
        }
    }
}
