package io.shadowkv.cache.full;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.Tensor;

/// Fills a [FullSequence]. The end of a layer needs no work.
final class FullPromptCache implements PromptCache {
    private final AttentionOperations attention;
    private final FullSequence sequence;
    private final int[] counts;
    private boolean isSealed;

    FullPromptCache(CacheShape shape, Backend backend, FullSequence sequence) {
        this.attention = backend.operations().attention();
        this.sequence = sequence;
        this.counts = new int[shape.layers()];
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values) {
        AttendedRows rows = sequence.layer(layer);
        attention.store(keys, rows.keys(), counts[layer]);
        attention.store(values, rows.values(), counts[layer]);
        counts[layer] += keys.extent(0);
    }

    @Override
    public void attend(int layer, Tensor queries, double scale, Tensor out) {
        AttendedRows rows = sequence.layer(layer);
        attention.prefill(queries, rows.keys(), rows.values(), counts[layer], scale, out);
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
        sequence.filled(counts[0]);
        return sequence;
    }

    @Override
    public void close() {
        if (!isSealed) {
            sequence.close();
        }
    }
}
