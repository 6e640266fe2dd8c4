package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheStrategy.Allocation;
import io.shadowkv.cache.CacheStrategy.Turn;
import io.shadowkv.cache.LayerFetches;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.RowsPromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.SequenceState;
import io.shadowkv.cache.shadow.index.UnitBuffers;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One sequence under ShadowKV. While it fits the resident region it is kept whole and attention is
/// exact; after that it is indexed.
///
/// New tokens are written to the recent rows. When these are full, all except the newest local
/// tokens move to the index together, which grows with them if the sequence has memory for a part
/// of its capacity only.
final class ShadowSequence implements SequenceCache {
    private final Backend backend;
    private final ShadowLayers layers;
    private final LayerRotaries rotary;
    private final @Nullable ShadowSequence shared;
    private final int recentRow;
    private final List<Integer> shifts;
    private int length;
    private boolean isIndexed;
    private int indexedUnits;
    private int recentToken;
    private @Nullable WholeIndexing indexing;

    /// @param shared the sequence whose index a fork reads; null for a sequence of its own
    private ShadowSequence(
            ShadowLayout layout, Backend backend, LayerRotaries rotary, @Nullable ShadowSequence shared) {
        this.backend = backend;
        this.rotary = rotary;
        this.shared = shared;
        this.recentRow = layout.base().recentRow();
        this.shifts = layout.recentRowShifts();
        this.layers = new ShadowLayers(layout, backend, shared == null ? null : shared.layers);
    }

    static ShadowSequence allocate(ShadowLayout layout, Backend backend, LayerRotaries rotary) {
        return new ShadowSequence(layout, backend, rotary, null);
    }

    ShadowLayout layout() {
        return layers.layout();
    }

    AttendedRows attended(int layer) {
        return layers.resident(layer).rows();
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
            layers.resident(layer).keepWhole(keys, values, tokens);
        } else {
            layers.get(layer).index(keys, values, tokens, rotary.of(layer), scratch);
        }
    }

    /// All layers have taken the prompt.
    void taken(int tokens) {
        length = tokens;
        if (tokens > layout().residentRows()) {
            indexed();
        }
    }

    /// All layers have indexed the tokens so far.
    private void indexed() {
        int contextUnits = layout().contextUnits(length);
        indexedUnits = contextUnits - layout().spec().index().outlierUnits();
        if (indexedUnits < layout().leastSelectedUnits()) {
            throw new IllegalStateException(length + " tokens give " + indexedUnits + " units for "
                    + layout().leastSelectedUnits() + " slots; a sequence as short as this is kept whole");
        }
        recentToken = contextUnits * layout().spec().unitTokens();
        isIndexed = true;
    }

    @Override
    public int length() {
        return length;
    }

    @Override
    public int capacity() {
        return layout().capacity();
    }

    @Override
    public int room() {
        int free = isIndexed ? layout().recentTokens() - recentTokens() : layout().residentRows() - length;
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
        if (!neededSize().equals(size())) {
            throw new IllegalStateException("the index has memory for " + layout().indexedTokens() + " tokens, and "
                    + tokensAfterMakeRoom() + " will be in it; grow the sequence first");
        }
        if (!isIndexed) {
            WholeIndexing running = startIndexing();
            indexing = null;
            running.finish();
            indexed();
            return;
        }
        try (MemoryScope scratch = backend.newScope("indexing a sequence")) {
            joinRecent(scratch);
            backend.synchronize();
        }
    }

    /// Does what [#makeRoom] does, but does not wait for the indexing of a whole sequence.
    ///
    /// @return false while that is under way
    boolean beginRoom() {
        if (!isIndexed && !isFork() && !startIndexing().isDone()) {
            return false;
        }
        makeRoom();
        return true;
    }

    private WholeIndexing startIndexing() {
        WholeIndexing running = indexing;
        if (running == null) {
            running = new WholeIndexing(layers, backend, rotary, length);
            indexing = running;
        }
        return running;
    }

    boolean isBeingIndexed() {
        return indexing != null;
    }

    /// Units that leave the recent rows when these are full.
    private int joiningUnits() {
        var spec = layout().spec();
        return (recentTokens() - spec.residency().localTokens()) / spec.unitTokens();
    }

    /// Number of tokens in the index after the next call of [#makeRoom].
    private int tokensAfterMakeRoom() {
        int unit = layout().spec().unitTokens();
        return isIndexed ? recentToken + joiningUnits() * unit : layout().contextUnits(length) * unit;
    }

    @Override
    public SequenceSize size() {
        return layout().size();
    }

    @Override
    public SequenceSize neededSize() {
        boolean needsIndex = room() == 0 && length < capacity() && !isFork();
        return needsIndex ? layout().grownFor(tokensAfterMakeRoom()).size() : size();
    }

    @Override
    public void grow(SequenceSize larger) {
        layers.grow(layout().withSize(larger), recentToken, indexedUnits);
    }

    @Override
    public long growthBytes(SequenceSize larger) {
        return layout().withSize(larger).growingLayerBytes();
    }

    @Override
    public Parking parking() {
        return layers;
    }

    private void joinRecent(MemoryScope scope) {
        int held = recentTokens();
        int units = joiningUnits();
        Tensor scratch =
                IndexScratch.plain(layout(), backend, scope, units * layout().spec().unitTokens());
        int firstUnit = recentToken / layout().spec().unitTokens();
        UnitBuffers fresh = layout().index().extendBuffers(backend, scope, firstUnit, units);
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).join(recentToken, held, indexedUnits, rotary.of(i), scratch, fresh);
        }
        indexedUnits += units;
        recentToken += units * layout().spec().unitTokens();
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
        recentToken += newUnits * layout().spec().unitTokens();
        return this;
    }

    /// A sequence that is kept whole takes what fits its rows. It is short, so it can be read again.
    @Override
    public boolean canExtend(int tokens) {
        if (!isIndexed) {
            return tokens <= layout().residentRows() - length;
        }
        int recent = recentTokens() + tokens - layout().spec().residency().localTokens();
        boolean hasMemory = recentTokens() + tokens <= layout().recentTokens()
                || recentToken + recent <= layout().indexedTokens() + layout().spec().unitTokens() - 1;
        return hasMemory && tokens <= capacity() - length;
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
        var rows = layers.resident().stream().map(ResidentBuffer::rows).toList();
        var attention = layout().attention().open(length, tokens);
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
        return layers.bytes(place);
    }

    @Override
    public Selections selections() {
        return layers.selections();
    }

    @Override
    public List<LayerFetches> fetches() {
        return isIndexed ? layers.fetches() : List.of();
    }

    @Override
    public SequenceCache copy() {
        ShadowSequence copy = allocate(layout(), backend, rotary);
        layers.copyTo(copy.layers);
        return copy.at(this);
    }

    /// This sequence with the numbers of another one, whose rows it has.
    private ShadowSequence at(ShadowSequence other) {
        length = other.length;
        isIndexed = other.isIndexed;
        indexedUnits = other.indexedUnits;
        recentToken = other.recentToken;
        return this;
    }

    /// A whole sequence has no index to share, so its rows are copied.
    @Override
    public SequenceCache fork(int newTokens) {
        ShadowSequence fork = isIndexed
                ? new ShadowSequence(forkLayout(newTokens), backend, rotary, indexOwner())
                : allocate(wholeForkLayout(newTokens), backend, rotary);
        if (isIndexed) {
            layers.copyKept(fork.layers, recentTokens());
        } else {
            layers.copyWhole(fork.layers, length);
        }
        return fork.at(this);
    }

    private ShadowLayout forkLayout(int newTokens) {
        return layout().forked(length + newTokens, recentTokens() + newTokens);
    }

    private ShadowLayout wholeForkLayout(int newTokens) {
        return layout().withCapacity(length + newTokens);
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
                layers.tensors(),
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

    @Override
    public void close() {
        WholeIndexing running = indexing;
        if (running != null) {
            running.abandon();
        }
        layers.close();
    }
}
