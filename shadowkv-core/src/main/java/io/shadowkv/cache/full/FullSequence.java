package io.shadowkv.cache.full;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.ParkedTensors;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.RowsPromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.SequenceState;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.cache.prefill.PromptAttention;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The keys and values of one sequence, `[kvHeads, capacity, headDim]` per layer; row t belongs to
/// token t.
final class FullSequence implements SequenceCache, SequenceCache.Parking, KeyValueSource {
    private final CacheShape shape;
    private final PrefillAttention attention;
    private final Backend backend;
    private final List<MemoryScope> scopes;
    private final List<AttendedRows> layers;
    private final LayerRotaries rotary;
    private SequenceSize size;
    private @Nullable ParkedTensors parked;
    private int length;

    private FullSequence(
            CacheShape shape,
            PrefillAttention attention,
            Backend backend,
            SequenceSize size,
            LayerRotaries rotary) {
        this.shape = shape;
        this.attention = attention;
        this.backend = backend;
        this.size = size;
        this.rotary = rotary;
        this.scopes = new ArrayList<>();
        this.layers = new ArrayList<>();
    }

    static FullSequence allocate(
            CacheShape shape, PrefillAttention attention, Backend backend, SequenceSize size, LayerRotaries rotary) {
        FullSequence sequence = new FullSequence(shape, attention, backend, size, rotary);
        try {
            sequence.allocate();
            return sequence;
        } catch (RuntimeException e) {
            sequence.close();
            throw e;
        }
    }

    /// One scope has everything, unless the sequence grows: then the keys and the values of each layer
    /// have scopes of their own, so that growing needs memory for one further tensor only.
    private void allocate() {
        MemoryScope shared = size.grows() ? null : scope(2 * shape.layers(), size);
        if (shared != null) {
            scopes.add(shared);
        }
        for (int layer = 0; layer < shape.layers(); layer++) {
            layers.add(new AttendedRows(allocate(shared), allocate(shared)));
        }
    }

    private Tensor allocate(@Nullable MemoryScope shared) {
        if (shared != null) {
            return tensor(shared, size);
        }
        MemoryScope own = scope(1, size);
        scopes.add(own);
        return tensor(own, size);
    }

    private MemoryScope scope(int tensors, SequenceSize sized) {
        return backend.newScope(
                "the keys and values of a sequence of " + size.capacityTokens() + " tokens",
                tensors * tensorBytes(sized));
    }

    private Tensor tensor(MemoryScope scope, SequenceSize sized) {
        return scope.allocate(shape.kvType(), shape.kvHeads(), sized.reservedTokens(), shape.headDim());
    }

    private long tensorBytes(SequenceSize sized) {
        return (long) shape.kvWidth() * shape.kvType().bytes() * sized.reservedTokens();
    }

    @Override
    public SequenceSize size() {
        return size;
    }

    @Override
    public SequenceSize neededSize() {
        return length < size.reservedTokens() || length >= capacity()
                ? size
                : size.withExtents(size.reservation().extents() + 1);
    }

    @Override
    public void grow(SequenceSize larger) {
        for (int layer = 0; layer < layers.size(); layer++) {
            AttendedRows rows = layers.get(layer);
            Tensor keys = grown(2 * layer, rows.keys(), larger);
            layers.set(layer, new AttendedRows(keys, rows.values()));
            layers.set(layer, new AttendedRows(keys, grown(2 * layer + 1, rows.values(), larger)));
        }
        size = larger;
    }

    private Tensor grown(int scope, Tensor tensor, SequenceSize larger) {
        if (tensor.extent(1) == larger.reservedTokens()) {
            return tensor;
        }
        MemoryScope fresh = scope(1, larger);
        try {
            Tensor grown = tensor(fresh, larger);
            backend.operations().shadow().copyRows(tensor, 0, length, grown, 0);
            backend.synchronize();
            scopes.set(scope, fresh).close();
            return grown;
        } catch (RuntimeException e) {
            fresh.close();
            throw e;
        }
    }

    @Override
    public long growthBytes(SequenceSize larger) {
        return tensorBytes(larger);
    }

    private List<Tensor> tensors() {
        return layers.stream()
                .flatMap(rows -> Stream.of(rows.keys(), rows.values()))
                .toList();
    }

    @Override
    public Parking parking() {
        return this;
    }

    @Override
    public long parkedBytes() {
        return ParkedTensors.bytes(tensors());
    }

    @Override
    public void park() {
        parked = ParkedTensors.of(backend, "a parked sequence of " + capacity() + " tokens", tensors());
        closeScopes();
    }

    @Override
    public boolean isParked() {
        return parked != null;
    }

    @Override
    public void resume() {
        ParkedTensors saved = Objects.requireNonNull(parked, "the sequence is not parked");
        List<AttendedRows> freed = List.copyOf(layers);
        layers.clear();
        try {
            allocate();
            saved.restore(tensors());
        } catch (RuntimeException e) {
            closeScopes();
            layers.clear();
            layers.addAll(freed);
            throw e;
        }
        parked = null;
        saved.close();
    }

    private void closeScopes() {
        List<MemoryScope> closing = List.copyOf(scopes);
        scopes.clear();
        CloseAll.of(closing, MemoryScope::close);
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
        return size.capacityTokens();
    }

    @Override
    public int room() {
        return size.reservedTokens() - length;
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
        ParkedTensors saved = parked;
        long copies = saved == null || place == Backend.Place.DEVICE ? 0 : saved.bytes();
        return copies
                + scopes.stream().mapToLong(scope -> scope.bytes(place)).sum();
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
        FullSequence copy = allocate(shape, attention, backend, size, rotary);
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
        FullSequence fork = allocate(shape, attention, backend, SequenceSize.of(length + newTokens), rotary);
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
        closeScopes();
        ParkedTensors saved = parked;
        if (saved != null) {
            saved.close();
        }
    }
}
