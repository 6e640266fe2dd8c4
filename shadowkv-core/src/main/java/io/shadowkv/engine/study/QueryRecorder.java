package io.shadowkv.engine.study;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Keeps the queries of the steps of one sequence, in backend memory. What the steps compute is what
/// the forwarded cache computes. Steps are not recorded, because each of them writes elsewhere.
final class QueryRecorder implements DecodeCache {
    private final DecodeCache cache;
    private final Backend backend;
    private final MemoryScope scope;
    private final Map<Integer, Tensor> queriesOfLayers = new HashMap<>();
    private final int steps;
    private int step;
    private boolean isClosed;

    /// @param cache receives everything; closed with this
    /// @param steps number of steps
    QueryRecorder(DecodeCache cache, Backend backend, int steps) {
        this.cache = cache;
        this.backend = backend;
        this.steps = steps;
        this.scope = backend.newScope("queries of " + steps + " steps");
    }

    /// The queries of one step in one layer, rotated, `[1, queryHeads, headDim]`. Valid until this is
    /// closed.
    Tensor queries(int layer, int ofStep) {
        return Objects.requireNonNull(queriesOfLayers.get(layer), "no step has run")
                .slice(ofStep, 1);
    }

    int steps() {
        return steps;
    }

    /// The next step begins.
    void next() {
        step++;
    }

    @Override
    public void choose(int layer, Tensor queries, Wave wave) {
        Tensor kept = queriesOfLayers.computeIfAbsent(
                layer, first -> scope.allocate(queries.dtype(), steps, queries.extent(1), queries.extent(2)));
        // Rows behind the first one pad the wave.
        backend.operations().dense().copy(queries.slice(0, 1), kept.slice(step, 1));
        cache.choose(layer, queries, wave);
    }

    @Override
    public boolean isRecordable() {
        return false;
    }

    @Override
    public void join(int slot, SequenceCache sequence) {
        cache.join(slot, sequence);
    }

    @Override
    public void leave(int slot) {
        cache.leave(slot);
    }

    @Override
    public void makeRoom(int slot) {
        cache.makeRoom(slot);
    }

    @Override
    public boolean beginRoom(int slot) {
        return cache.beginRoom(slot);
    }

    @Override
    public void settle(int slot) {
        cache.settle(slot);
    }

    @Override
    public Prepared prepare(List<Wave> waves) {
        return cache.prepare(waves);
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values, Wave wave) {
        cache.append(layer, keys, values, wave);
    }

    @Override
    public void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
        cache.attend(layer, queries, wave, scale, out);
    }

    @Override
    public void synthesizeHits(double rate) {
        cache.synthesizeHits(rate);
    }

    @Override
    public void trace(@Nullable SelectionListener listener) {
        cache.trace(listener);
    }

    /// Does nothing the second time: a batch closes it, too.
    @Override
    public void close() {
        if (!isClosed) {
            isClosed = true;
            CloseAll.of(List.<Runnable>of(backend::synchronize, scope::close, cache::close), Runnable::run);
        }
    }
}
