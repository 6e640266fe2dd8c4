package io.shadowkv.cache.shadow;

import io.shadowkv.cache.LayerProgress;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.cache.prefill.RowOrder;
import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.cache.shadow.index.UnitBuffers;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads further tokens of an indexed sequence. Of one layer at a time, the keys and values of all
/// earlier tokens are restored, and the new tokens attend to them.
///
/// The index is extended layer by layer behind its last unit, where no step reads. What a step does
/// read changes only in [#seal], so the sequence is as it was if this is closed before.
final class ShadowExtension implements PromptCache {
    private final AttentionOperations operations;
    private final PromptAttention attention;
    private final Backend backend;
    private final ShadowSequence sequence;
    private final ShadowLayout layout;
    private final MemoryScope scope;
    private final PromptLayers layers;
    private final int before;
    private final int tokens;
    private final int newUnits;
    private final @Nullable Joining joining;
    private final LayerProgress progress;
    private boolean isSealed;

    /// @param tokens number of new tokens
    ShadowExtension(ShadowSequence sequence, Backend backend, int tokens) {
        this.operations = backend.operations().attention();
        this.backend = backend;
        this.sequence = sequence;
        this.layout = sequence.layout();
        this.before = sequence.length();
        this.tokens = tokens;
        this.progress = new LayerProgress(layout.shape().layers(), tokens);
        int recent = sequence.recentTokens() + tokens;
        this.newUnits = recent <= layout.recentTokens()
                ? 0
                : (recent - layout.spec().residency().localTokens())
                        / layout.spec().unitTokens();
        this.scope = backend.newScope("one layer's keys and values of " + (before + tokens) + " tokens");
        try {
            this.layers = new PromptLayers(layout, backend, scope, before + tokens);
            this.joining = newUnits == 0 ? null : Joining.allocate(sequence, backend, scope, newUnits, recent);
            this.attention = layout.attention().open(before, tokens);
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
        try {
            for (int i = 0; i < Math.min(layers.size(), layout.shape().layers()); i++) {
                int layer = i;
                PromptLayers.Set set = layers.set(layer);
                set.usedBy(backend.aside(() -> restore(layer, set)));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /// Buffers for units that join the index.
    ///
    /// @param plain activation type `[any, kvWidth]`
    /// @param recent the recent tokens that each layer will have
    private record Joining(Tensor plain, UnitBuffers fresh, List<AttendedRows> recent) {
        static Joining allocate(ShadowSequence sequence, Backend backend, MemoryScope scope, int units, int recent) {
            ShadowLayout layout = sequence.layout();
            int unitTokens = layout.spec().unitTokens();
            LayerMemory memory = new LayerMemory(scope, layout.shape().layers());
            List<AttendedRows> rows = new ArrayList<>();
            for (int layer = 0; layer < layout.shape().layers(); layer++) {
                rows.add(new AttendedRows(
                        left(layout, memory, recent - units * unitTokens),
                        left(layout, memory, recent - units * unitTokens)));
                memory.nextLayer();
            }
            return new Joining(
                    IndexScratch.plain(layout, backend, scope, units * unitTokens),
                    layout.index().extendBuffers(backend, scope, sequence.recentToken() / unitTokens, units),
                    rows);
        }

        private static Tensor left(ShadowLayout layout, LayerMemory memory, int rows) {
            return memory.allocate(
                    layout.shape().kvType(),
                    layout.shape().kvHeads(),
                    rows,
                    layout.shape().headDim());
        }
    }

    /// Restores a layer in the buffers that it will use.
    private void restore(int layer, PromptLayers.Set set) {
        sequence.indexedLayer(layer)
                .restore(
                        sequence.recentToken(),
                        sequence.recentTokens(),
                        sequence.rotary().of(layer),
                        set.keys(),
                        set.values());
    }

    @Override
    public void append(int layer, Tensor newKeys, Tensor newValues) {
        PromptLayers.Set set = layers.set(layer);
        set.join();
        operations.store(newKeys, set.keys(), before + progress.count());
        operations.store(newValues, set.values(), before + progress.count());
        progress.add(newKeys.extent(0));
    }

    @Override
    public RowOrder order() {
        return attention.order();
    }

    @Override
    public void observe(int layer, Tensor queries, double scale) {
        attention.observe(layer, layers.set(layer).rows(), before + progress.count(), queries, scale);
    }

    @Override
    public void attend(int layer, int first, Tensor queries, double scale, Tensor out) {
        attention.attend(
                layer, layers.set(layer).rows(), before + progress.count(), before + first, queries, scale, out);
    }

    @Override
    public List<LayerDensity> densities() {
        return attention.densities();
    }

    @Override
    public void finishLayer(int layer) {
        progress.finish(layer);
        PromptLayers.Set set = layers.set(layer);
        int next = layer + layers.size();
        set.usedBy(backend.aside(() -> {
            extend(layer, set.keys(), set.values());
            if (next < layout.shape().layers()) {
                restore(next, set);
            }
        }));
    }

    private void extend(int layer, Tensor keys, Tensor values) {
        ShadowLayer target = sequence.indexedLayer(layer);
        Joining joins = joining;
        if (joins == null) {
            target.resident().addRecent(keys, values, before, tokens, sequence.recentTokens());
            return;
        }
        int first = sequence.recentToken();
        target.add(
                keys,
                values,
                first,
                first,
                sequence.indexedUnits(),
                sequence.rotary().of(layer),
                joins.plain(),
                joins.fresh());
        int from = first + newUnits * layout.spec().unitTokens();
        var shadow = backend.operations().shadow();
        shadow.copyRows(
                keys, from, before + tokens - from, joins.recent().get(layer).keys(), 0);
        shadow.copyRows(
                values, from, before + tokens - from, joins.recent().get(layer).values(), 0);
    }

    @Override
    public SequenceCache seal() {
        progress.checkFinished();
        layers.joinAll();
        Joining joins = joining;
        if (joins != null) {
            for (int layer = 0; layer < layout.shape().layers(); layer++) {
                AttendedRows recent = joins.recent().get(layer);
                int held = recent.keys().extent(1);
                sequence.indexedLayer(layer).resident().addRecent(recent.keys(), recent.values(), 0, held, 0);
            }
        }
        backend.synchronize();
        sequence.extended(before + tokens, newUnits);
        scope.close();
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
        CloseAll.of(List.<Runnable>of(backend::synchronize, scope::close, attention::close), Runnable::run);
    }
}
