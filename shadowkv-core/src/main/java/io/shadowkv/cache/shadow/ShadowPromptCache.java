package io.shadowkv.cache.shadow;

import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Holds the keys and values of one layer at a time: attention over them is exact, then the layer is indexed
/// and the next one takes their place.
final class ShadowPromptCache implements PromptCache {
    private final AttentionOperations attention;
    private final Backend backend;
    private final MemoryScope promptScope;
    private final ShadowSequence sequence;
    private final Tensor keys;
    private final Tensor values;
    private final @Nullable IndexScratch scratch;
    private int count;
    private int finishedLayers;
    private boolean isSealed;

    ShadowPromptCache(ShadowLayout layout, Backend backend, int promptTokens, Rotary rotary) {
        this.attention = backend.operations().attention();
        this.backend = backend;
        this.promptScope = backend.newScope("one layer's keys and values of a prompt of " + promptTokens + " tokens");
        ShadowSequence opened = null;
        try {
            opened = ShadowSequence.allocate(layout, backend, rotary);
            var shape = layout.shape();
            this.keys = promptScope.allocate(shape.kvType(), shape.kvHeads(), promptTokens, shape.headDim());
            this.values = promptScope.allocate(shape.kvType(), shape.kvHeads(), promptTokens, shape.headDim());
            this.scratch = IndexScratch.forPrompt(layout, promptScope, promptTokens);
            this.sequence = opened;
        } catch (RuntimeException e) {
            promptScope.close();
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    @Override
    public void append(int layer, Tensor newKeys, Tensor newValues) {
        attention.store(newKeys, keys, count);
        attention.store(newValues, values, count);
        count += newKeys.extent(0);
    }

    @Override
    public void attend(int layer, Tensor queries, double scale, Tensor out) {
        attention.prefill(queries, keys, values, count, scale, out);
    }

    @Override
    public void finishLayer(int layer) {
        if (layer != finishedLayers || count != keys.extent(1)) {
            throw new IllegalStateException("layer " + layer + " ends with " + count + " tokens after " + finishedLayers
                    + " layers; expected " + keys.extent(1) + " tokens, layer after layer");
        }
        sequence.take(layer, keys, values, count, scratch);
        finishedLayers++;
        count = 0;
    }

    @Override
    public SequenceCache seal() {
        if (finishedLayers != sequence.layout().shape().layers()) {
            throw new IllegalStateException(
                    finishedLayers + " of " + sequence.layout().shape().layers() + " layers are finished");
        }
        sequence.taken(keys.extent(1));
        backend.synchronize();
        promptScope.close();
        isSealed = true;
        return sequence;
    }

    @Override
    public void close() {
        if (!isSealed) {
            backend.synchronize();
            promptScope.close();
            sequence.close();
        }
    }
}
