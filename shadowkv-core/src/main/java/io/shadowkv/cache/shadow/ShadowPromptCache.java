package io.shadowkv.cache.shadow;

import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.LayerProgress;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.cache.prefill.RowOrder;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Holds the keys and values of one layer at a time, to which the prompt attends. When the layer is
/// complete it is indexed; the next layer uses a second buffer meanwhile if the backend has a
/// side queue, otherwise the same buffer afterwards.
final class ShadowPromptCache implements PromptCache {
    private final AttentionOperations operations;
    private final PromptAttention attention;
    private final Backend backend;
    private final MemoryScope promptScope;
    private final ShadowSequence sequence;
    private final PromptLayers layers;
    private final int promptTokens;
    private final @Nullable IndexScratch scratch;
    private final LayerProgress progress;
    private boolean isSealed;

    ShadowPromptCache(ShadowLayout layout, Backend backend, int promptTokens, LayerRotaries rotary) {
        this.operations = backend.operations().attention();
        this.backend = backend;
        this.promptTokens = promptTokens;
        this.progress = new LayerProgress(layout.shape().layers(), promptTokens);
        this.promptScope = backend.newScope("one layer's keys and values of a prompt of " + promptTokens + " tokens");
        ShadowSequence opened = null;
        try {
            opened = ShadowSequence.allocate(layout, backend, rotary);
            this.layers = new PromptLayers(layout, backend, promptScope, promptTokens);
            this.scratch = IndexScratch.forPrompt(layout, backend, promptScope, promptTokens);
            this.attention = layout.attention().open(0, promptTokens);
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
        PromptLayers.Set set = progress.count() == 0 ? layers.writable() : layers.current();
        operations.store(newKeys, set.keys(), progress.count());
        operations.store(newValues, set.values(), progress.count());
        progress.add(newKeys.extent(0));
    }

    @Override
    public RowOrder order() {
        return attention.order();
    }

    @Override
    public void observe(int layer, Tensor queries, double scale) {
        attention.observe(layer, layers.current().rows(), progress.count(), queries, scale);
    }

    @Override
    public void attend(int layer, int first, Tensor queries, double scale, Tensor out) {
        attention.attend(layer, layers.current().rows(), progress.count(), first, queries, scale, out);
    }

    @Override
    public List<LayerDensity> densities() {
        return attention.densities();
    }

    @Override
    public void finishLayer(int layer) {
        progress.finish(layer);
        PromptLayers.Set set = layers.current();
        layers.next(backend.aside(() -> sequence.take(layer, set.keys(), set.values(), promptTokens, scratch)));
    }

    @Override
    public SequenceCache seal() {
        progress.checkFinished();
        layers.joinAll();
        sequence.taken(promptTokens);
        backend.synchronize();
        promptScope.close();
        attention.close();
        isSealed = true;
        return sequence;
    }

    @Override
    public void close() {
        if (isSealed) {
            return;
        }
        layers.abandon();
        CloseAll.of(
                List.<Runnable>of(backend::synchronize, promptScope::close, attention::close, sequence::close),
                Runnable::run);
    }
}
