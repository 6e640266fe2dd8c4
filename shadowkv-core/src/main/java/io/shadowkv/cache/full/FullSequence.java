package io.shadowkv.cache.full;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.RowsPromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceState;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The keys and values of one sequence, `[kvHeads, capacity, headDim]` per layer; row t belongs to
/// token t.
final class FullSequence implements SequenceCache, KeyValueSource {
    private final CacheShape shape;
    private final PrefillAttention attention;
    private final Backend backend;
    private final MemoryScope scope;
    private final List<AttendedRows> layers;
    private final LayerRotaries rotary;
    private int length;

    private FullSequence(
            CacheShape shape,
            PrefillAttention attention,
            Backend backend,
            MemoryScope scope,
            List<AttendedRows> layers,
            LayerRotaries rotary) {
        this.shape = shape;
        this.attention = attention;
        this.backend = backend;
        this.scope = scope;
        this.layers = List.copyOf(layers);
        this.rotary = rotary;
    }

    static FullSequence allocate(
            CacheShape shape, PrefillAttention attention, Backend backend, int capacity, LayerRotaries rotary) {
        long bytes = 2L * shape.layers() * shape.kvWidth() * shape.kvType().bytes() * capacity;
        MemoryScope scope = backend.newScope("the keys and values of a sequence of " + capacity + " tokens", bytes);
        try {
            List<AttendedRows> layers = new ArrayList<>();
            for (int layer = 0; layer < shape.layers(); layer++) {
                layers.add(new AttendedRows(
                        scope.allocate(shape.kvType(), shape.kvHeads(), capacity, shape.headDim()),
                        scope.allocate(shape.kvType(), shape.kvHeads(), capacity, shape.headDim())));
            }
            return new FullSequence(shape, attention, backend, scope, layers, rotary);
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    /// The cache that fills this sequence; closing it frees the sequence unless it was sealed.
    PromptCache openPrompt(int tokens) {
        PromptAttention opened;
        try {
            opened = attention.open(0, tokens);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        return new RowsPromptCache(backend, opened, layers, 0, this::filled, this::close);
    }

    @Override
    public boolean canExtend(int tokens) {
        return tokens <= room();
    }

    @Override
    public PromptCache extend(int tokens) {
        return new RowsPromptCache(backend, attention.open(length, tokens), layers, length, this::filled);
    }

    AttendedRows layer(int layer) {
        return layers.get(layer);
    }

    @Override
    public Tensor keys(int layer) {
        return layers.get(layer).keys();
    }

    @Override
    public Tensor values(int layer) {
        return layers.get(layer).values();
    }

    /// The rows hold this number of tokens now.
    SequenceCache filled(int tokens) {
        length = tokens;
        return this;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int capacity() {
        return layers.getFirst().keys().extent(1);
    }

    @Override
    public int room() {
        return capacity() - length;
    }

    @Override
    public NewRow advance() {
        if (room() == 0) {
            throw new IllegalStateException("the sequence is full at " + length + " tokens");
        }
        int row = length++;
        return new NewRow(row, row, length, 0);
    }

    @Override
    public boolean isIndexed() {
        return false;
    }

    @Override
    public LayerRotaries rotary() {
        return rotary;
    }

    @Override
    public long bytes(Backend.Place place) {
        return scope.bytes(place);
    }

    @Override
    public List<LayerFetches> fetches() {
        return List.of();
    }

    @Override
    public Selections selections() {
        return new Selections(0, 0);
    }

    @Override
    public SequenceCache copy() {
        FullSequence copy = allocate(shape, attention, backend, capacity(), rotary);
        var dense = backend.operations().dense();
        for (int layer = 0; layer < shape.layers(); layer++) {
            dense.copy(keys(layer), copy.keys(layer));
            dense.copy(values(layer), copy.values(layer));
        }
        backend.synchronize();
        copy.filled(length);
        return copy;
    }

    /// Copies all keys and values.
    @Override
    public SequenceCache fork(int newTokens) {
        FullSequence fork = allocate(shape, attention, backend, length + newTokens, rotary);
        var shadow = backend.operations().shadow();
        for (int layer = 0; layer < shape.layers(); layer++) {
            shadow.copyRows(keys(layer), 0, length, fork.keys(layer), 0);
            shadow.copyRows(values(layer), 0, length, fork.values(layer), 0);
        }
        backend.synchronize();
        fork.filled(length);
        return fork;
    }

    @Override
    public List<CacheStrategy.Allocation> forkFootprint(int newTokens) {
        return FullCache.footprint(shape, length + newTokens);
    }

    @Override
    public SequenceState state() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < shape.layers(); layer++) {
            tensors.put("layers." + layer + ".keys", keys(layer));
            tensors.put("layers." + layer + ".values", values(layer));
        }
        return new SequenceState(tensors, Map.of("length", (long) length));
    }

    @Override
    public boolean isShared() {
        return false;
    }

    @Override
    public void close() {
        scope.close();
    }
}
