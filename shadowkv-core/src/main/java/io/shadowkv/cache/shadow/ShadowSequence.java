package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheStrategy.Allocation;
import io.shadowkv.cache.CacheStrategy.Turn;
import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.RowsPromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceState;
import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.cache.shadow.index.UnitBuffers;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One sequence under ShadowKV. While it fits the resident region it is kept whole and attention is
/// exact; after that it is indexed.
///
/// New tokens are written to the recent rows. When these are full, all except the newest local
/// tokens move to the index together, so that the sequence needs no further memory, however long
/// the answer is.
final class ShadowSequence implements SequenceCache {
    private final ShadowLayout layout;
    private final Backend backend;
    private final MemoryScope scope;
    private final LayerRotaries rotary;
    private final int recentRow;
    private final List<Integer> shifts;
    private final List<ResidentBuffer> resident = new ArrayList<>();
    private final List<ShadowLayer> layers = new ArrayList<>();
    private int length;
    private boolean isIndexed;
    private int indexedUnits;
    private int recentToken;
    private @Nullable ShadowSequence shared;

    private ShadowSequence(ShadowLayout layout, Backend backend, MemoryScope scope, LayerRotaries rotary) {
        this.layout = layout;
        this.backend = backend;
        this.scope = scope;
        this.rotary = rotary;
        this.recentRow = layout.base().recentRow();
        this.shifts = layout.recentRowShifts();
    }

    static ShadowSequence allocate(ShadowLayout layout, Backend backend, LayerRotaries rotary) {
        long bytes = layout.parts().stream()
                .filter(part -> part.place() == Backend.Place.DEVICE)
                .mapToLong(Allocation::bytes)
                .sum();
        MemoryScope scope =
                backend.newScope("ShadowKV's cache of a sequence of " + layout.capacity() + " tokens", bytes);
        try {
            ShadowSequence sequence = new ShadowSequence(layout, backend, scope, rotary);
            LayerMemories memories = new LayerMemories(layout, scope);
            for (int layer = 0; layer < layout.shape().layers(); layer++) {
                LayerMemory memory = memories.of(layer);
                if (layout.isAlwaysWhole()) {
                    sequence.resident.add(new ResidentBuffer(layout.layer(layer), backend, memory));
                } else {
                    ShadowLayer indexable = new ShadowLayer(layout, layer, backend, memory);
                    sequence.layers.add(indexable);
                    sequence.resident.add(indexable.resident());
                }
                memory.nextLayer();
            }
            return sequence;
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    ShadowLayout layout() {
        return layout;
    }

    AttendedRows attended(int layer) {
        return resident.get(layer).rows();
    }

    IndexedLayer indexed(int layer) {
        return layers.get(layer).indexed();
    }

    /// Takes one layer of the prompt: indexes it if `scratch` is not null, otherwise keeps it
    /// whole.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`, row t belongs to token t
    /// @param values the same shape
    void take(int layer, Tensor keys, Tensor values, int tokens, @Nullable IndexScratch scratch) {
        if (scratch == null) {
            resident.get(layer).keepWhole(keys, values, tokens);
        } else {
            layers.get(layer).index(keys, values, tokens, rotary.of(layer), scratch);
        }
    }

    /// All layers have taken the prompt.
    void taken(int tokens) {
        length = tokens;
        if (tokens > layout.residentRows()) {
            indexed();
        }
    }

    /// All layers have indexed the tokens so far.
    private void indexed() {
        int contextUnits = layout.contextUnits(length);
        indexedUnits = contextUnits - layout.spec().index().outlierUnits();
        if (indexedUnits < layout.leastSelectedUnits()) {
            throw new IllegalStateException(length + " tokens give " + indexedUnits + " units for "
                    + layout.leastSelectedUnits() + " slots; a sequence as short as this is kept whole");
        }
        recentToken = contextUnits * layout.spec().unitTokens();
        isIndexed = true;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int capacity() {
        return layout.capacity();
    }

    @Override
    public int room() {
        int free = isIndexed ? layout.recentTokens() - recentTokens() : layout.residentRows() - length;
        return Math.min(free, capacity() - length);
    }

    @Override
    public NewRow advance() {
        if (room() == 0) {
            throw new IllegalStateException("no room after " + length + " tokens; make room first");
        }
        int row = isIndexed ? recentRow + recentTokens() : length;
        return new NewRow(length++, row, row + 1, indexedUnits, isIndexed ? shifts : List.of());
    }

    /// Turns a whole sequence into an indexed one, or moves its oldest recent tokens into the index.
    void makeRoom() {
        if (length == capacity()) {
            throw new IllegalStateException("the sequence is at its capacity of " + capacity() + " tokens");
        }
        if (isFork()) {
            throw new IllegalStateException("a fork cannot add to the index that it shares");
        }
        try (MemoryScope scratch = backend.newScope("indexing a sequence")) {
            if (isIndexed) {
                joinRecent(scratch);
            } else {
                indexWhole(scratch);
            }
            backend.synchronize();
        }
    }

    private void indexWhole(MemoryScope scope) {
        var shape = layout.shape();
        IndexScratch scratch = IndexScratch.allocate(layout, backend, scope, length);
        Tensor keys = scope.allocate(shape.kvType(), shape.kvHeads(), length, shape.headDim());
        Tensor values = scope.allocate(shape.kvType(), shape.kvHeads(), length, shape.headDim());
        for (int i = 0; i < layers.size(); i++) {
            ShadowLayer layer = layers.get(i);
            layer.resident().copyTo(keys, values, length);
            layer.index(keys, values, length, rotary.of(i), scratch);
        }
        indexed();
    }

    private void joinRecent(MemoryScope scope) {
        int held = recentTokens();
        int units =
                (held - layout.spec().residency().localTokens()) / layout.spec().unitTokens();
        Tensor scratch =
                IndexScratch.plain(layout, backend, scope, units * layout.spec().unitTokens());
        int firstUnit = recentToken / layout.spec().unitTokens();
        UnitBuffers fresh = layout.index().extendBuffers(backend, scope, firstUnit, units);
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).join(recentToken, held, indexedUnits, rotary.of(i), scratch, fresh);
        }
        indexedUnits += units;
        recentToken += units * layout.spec().unitTokens();
    }

    boolean isFork() {
        return shared != null;
    }

    /// The sequence whose index this one reads: itself, or the one that it is a fork of.
    ShadowSequence indexOwner() {
        return shared == null ? this : shared;
    }

    int recentTokens() {
        return length - recentToken;
    }

    /// Position of the oldest recent token; all tokens before it are in the index.
    int recentToken() {
        return recentToken;
    }

    int indexedUnits() {
        return indexedUnits;
    }

    ShadowLayer indexedLayer(int layer) {
        return layers.get(layer);
    }

    /// All layers have added tokens.
    SequenceCache extended(int newLength, int newUnits) {
        length = newLength;
        indexedUnits += newUnits;
        recentToken += newUnits * layout.spec().unitTokens();
        return this;
    }

    /// A sequence that is kept whole takes what fits its rows. It is short, so it can be read again.
    @Override
    public boolean canExtend(int tokens) {
        return isIndexed ? tokens <= capacity() - length : tokens <= layout.residentRows() - length;
    }

    @Override
    public PromptCache extend(int tokens) {
        if (!canExtend(tokens)) {
            throw new IllegalStateException("a sequence of " + length + " tokens cannot take " + tokens + " more");
        }
        if (isFork()) {
            return SharedTurns.open(List.of(new Turn(this, tokens)), backend).getFirst();
        }
        if (isIndexed) {
            return new ShadowExtension(this, backend, tokens);
        }
        var rows = resident.stream().map(ResidentBuffer::rows).toList();
        var attention = layout.attention().open(length, tokens);
        return new RowsPromptCache(backend, attention, rows, length, all -> extended(all, 0));
    }

    @Override
    public boolean isIndexed() {
        return isIndexed;
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
    public Selections selections() {
        long selected = 0;
        long missed = 0;
        for (ShadowLayer layer : layers) {
            long[] counters = backend.downloadLongs(layer.selector().counters());
            selected += counters[0];
            missed += counters[1];
        }
        return new Selections(selected, missed);
    }

    @Override
    public List<LayerFetches> fetches() {
        if (!isIndexed) {
            return List.of();
        }
        return layers.stream().map(layer -> layer.fetches(backend)).toList();
    }

    @Override
    public SequenceCache copy() {
        ShadowSequence copy = allocate(layout, backend, rotary);
        Map<String, Tensor> targets = copy.state().tensors();
        state().tensors().forEach((name, tensor) -> copy(tensor, Objects.requireNonNull(targets.get(name))));
        backend.synchronize();
        copy.length = length;
        copy.isIndexed = isIndexed;
        copy.indexedUnits = indexedUnits;
        copy.recentToken = recentToken;
        return copy;
    }

    /// A whole sequence has no index to share, so its rows are copied.
    @Override
    public SequenceCache fork(int newTokens) {
        if (!isIndexed) {
            return forkWhole(newTokens);
        }
        ShadowLayout forked = forkLayout(newTokens);
        MemoryScope scopeOfFork = backend.newScope("ShadowKV's fork of a sequence of " + length + " tokens");
        try {
            var fork = new ShadowSequence(forked, backend, scopeOfFork, rotary);
            LayerMemories memories = new LayerMemories(forked, scopeOfFork);
            for (int layer = 0; layer < layers.size(); layer++) {
                LayerMemory memory = memories.of(layer);
                ShadowLayer own = layers.get(layer).fork(forked.layer(layer), recentTokens(), backend, memory);
                fork.layers.add(own);
                fork.resident.add(own.resident());
                memory.nextLayer();
            }
            backend.synchronize();
            fork.length = length;
            fork.isIndexed = true;
            fork.indexedUnits = indexedUnits;
            fork.recentToken = recentToken;
            fork.shared = indexOwner();
            return fork;
        } catch (RuntimeException e) {
            scopeOfFork.close();
            throw e;
        }
    }

    private SequenceCache forkWhole(int newTokens) {
        ShadowSequence fork = allocate(wholeForkLayout(newTokens), backend, rotary);
        for (int layer = 0; layer < resident.size(); layer++) {
            resident.get(layer).copyWhole(fork.resident.get(layer), length);
        }
        backend.synchronize();
        fork.length = length;
        return fork;
    }

    private ShadowLayout forkLayout(int newTokens) {
        return layout.forked(length + newTokens, recentTokens() + newTokens);
    }

    private ShadowLayout wholeForkLayout(int newTokens) {
        return layout.withCapacity(length + newTokens);
    }

    @Override
    public List<Allocation> forkFootprint(int newTokens) {
        return isIndexed
                ? forkLayout(newTokens).forkParts()
                : wholeForkLayout(newTokens).parts();
    }

    @Override
    public SequenceState state() {
        return new SequenceState(
                StateTensors.of(resident, layers),
                Map.of(
                        "length", (long) length,
                        "is_indexed", isIndexed ? 1L : 0L,
                        "indexed_units", (long) indexedUnits,
                        "recent_token", (long) recentToken));
    }

    /// Allocates a sequence whose tensors are filled afterwards.
    ///
    /// @throws IllegalArgumentException if the numbers do not describe a sequence of this layout
    static ShadowSequence restore(
            ShadowLayout layout, Backend backend, LayerRotaries rotary, Map<String, Long> numbers) {
        long length = numbers.getOrDefault("length", -1L);
        boolean isIndexed = numbers.getOrDefault("is_indexed", 0L) == 1;
        layout.checkRestored(length, isIndexed);
        ShadowSequence sequence = allocate(layout, backend, rotary);
        sequence.length = (int) length;
        sequence.isIndexed = isIndexed;
        sequence.indexedUnits = numbers.getOrDefault("indexed_units", 0L).intValue();
        sequence.recentToken = numbers.getOrDefault("recent_token", 0L).intValue();
        return sequence;
    }

    @Override
    public boolean isShared() {
        return isIndexed;
    }

    private void copy(Tensor source, Tensor target) {
        backend.operations().dense().copy(source, target);
    }

    @Override
    public void close() {
        scope.close();
    }
}
