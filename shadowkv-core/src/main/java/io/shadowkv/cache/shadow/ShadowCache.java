package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SelectionRanking;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.CloseAll;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// The ShadowKV strategy for one decoder on one backend.
public final class ShadowCache implements CacheStrategy {
    private final KvCacheSpec.Shadow spec;
    private final CacheShape shape;
    private final PrefillAttention attention;
    private final Backend backend;

    /// @param attention how prompts attend
    public ShadowCache(KvCacheSpec.Shadow spec, CacheShape shape, PrefillAttention attention, Backend backend) {
        if (spec.budget().firstLayers().size() > shape.layers()) {
            throw new IllegalArgumentException("budgets of the first "
                    + spec.budget().firstLayers().size() + " layers are given; the model has " + shape.layers()
                    + " layers. Give fewer budgets");
        }
        this.spec = spec;
        this.shape = shape;
        this.attention = attention;
        this.backend = backend;
    }

    private ShadowLayout layout(SequenceSize size) {
        return new ShadowLayout(spec, shape, size, attention);
    }

    @Override
    public PromptCache openPrompt(int promptTokens, SequenceSize size, LayerRotaries rotary) {
        ShadowLayout layout = layout(size);
        return new ShadowPromptCache(layout, backend, promptTokens, rotary);
    }

    @Override
    public SequenceCache openFrom(KeyValueSource prompt, int tokens, SequenceSize size) {
        ShadowLayout layout = layout(size);
        ShadowSequence sequence = ShadowSequence.allocate(layout, backend, prompt.rotary());
        try (MemoryScope scope = backend.newScope("indexing a prompt of " + tokens + " tokens")) {
            IndexScratch scratch = IndexScratch.forPrompt(layout, backend, scope, tokens);
            for (int layer = 0; layer < shape.layers(); layer++) {
                sequence.take(layer, prompt.keys(layer), prompt.values(layer), tokens, scratch);
            }
            sequence.taken(tokens);
            backend.synchronize();
            return sequence;
        } catch (RuntimeException e) {
            sequence.close();
            throw e;
        }
    }

    @Override
    public SelectionRanking openRanking(KeyValueSource prompt, int tokens) {
        int resident = spec.residentTokens(shape.layers());
        if (tokens <= resident) {
            throw new IllegalArgumentException(
                    "a text of %,d tokens is kept whole, and nothing is selected from it; expected more than %,d tokens. Use a longer text or a smaller budget"
                            .formatted(tokens, resident));
        }
        return new IndexRanking((ShadowSequence) openFrom(prompt, tokens, SequenceSize.of(tokens)));
    }

    /// The index of one sequence, in slot 0 of a step of one row.
    private final class IndexRanking implements SelectionRanking {
        private final ShadowSequence sequence;
        private final MemoryScope scope = backend.newScope("scores of units for a ranking");
        private final StepRows row;
        private final Tensor scores;

        IndexRanking(ShadowSequence sequence) {
            this.sequence = sequence;
            try {
                this.row = new StepRows(
                        1, number(0), number(sequence.length()), number(0), number(1), number(sequence.indexedUnits()));
                this.scores = scope.allocate(
                        DType.F32, 1, shape.kvHeads(), sequence.layout().unitCapacity());
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private Tensor number(int value) {
            Tensor tensor = scope.allocate(DType.I32, 1);
            backend.upload(new int[] {value}, tensor);
            return tensor;
        }

        @Override
        public int unitTokens() {
            return spec.unitTokens();
        }

        @Override
        public int units() {
            return sequence.indexedUnits();
        }

        @Override
        public int[] unitNumbers(int layer, int head) {
            Tensor numbers = sequence.indexed(layer).index().unitIds().row(head);
            return backend.downloadInts(numbers.slice(0, units()));
        }

        @Override
        public float[][] scores(int layer, Tensor queries) {
            SlotTable<IndexedLayer> table = new SlotTable<>();
            table.set(0, sequence.indexed(layer));
            backend.operations().shadow().scoreUnits(queries, table, row, shape.attentionScale(), scores);
            float[][] heads = new float[shape.kvHeads()][];
            for (int head = 0; head < heads.length; head++) {
                heads[head] = backend.download(scores.row(0).row(head).slice(0, units()));
            }
            return heads;
        }

        @Override
        public void close() {
            CloseAll.of(List.<Runnable>of(backend::synchronize, scope::close, sequence::close), Runnable::run);
        }
    }

    @Override
    public SequenceCache restore(SequenceSize size, LayerRotaries rotary, Map<String, Long> numbers) {
        return ShadowSequence.restore(layout(size), backend, rotary, numbers);
    }

    @Override
    public List<PromptCache> extend(List<Turn> turns) {
        Map<Object, List<Turn>> groups = new LinkedHashMap<>();
        for (Turn turn : turns) {
            ShadowSequence sequence = (ShadowSequence) turn.sequence();
            Object key = sequence.isFork() ? new SharedTurns.Shared(sequence) : turn;
            groups.computeIfAbsent(key, shared -> new ArrayList<>()).add(turn);
        }
        Map<SequenceCache, PromptCache> opened = new HashMap<>();
        try {
            for (List<Turn> group : groups.values()) {
                List<PromptCache> caches =
                        group.size() == 1 ? CacheStrategy.super.extend(group) : SharedTurns.open(group, backend);
                for (int i = 0; i < group.size(); i++) {
                    opened.put(group.get(i).sequence(), caches.get(i));
                }
            }
        } catch (RuntimeException e) {
            CloseAll.after(e, List.copyOf(opened.values()), PromptCache::close);
            throw e;
        }
        return turns.stream()
                .map(turn -> Objects.requireNonNull(opened.get(turn.sequence())))
                .toList();
    }

    @Override
    public DecodeCache openDecode() {
        return new ShadowDecodeCache(spec, shape, backend);
    }

    @Override
    public List<Allocation> footprint(SequenceSize size) {
        return layout(size).parts();
    }

    @Override
    public long promptWorkspaceBytes(int promptTokens) {
        ShadowLayout layout = layout(SequenceSize.of(promptTokens));
        long oneLayer = 2L * shape.kvWidth() * promptTokens * shape.kvType().bytes();
        return attention.bytes(0, promptTokens)
                + PromptLayers.count(backend) * oneLayer
                + (layout.isAlwaysWhole() ? 0 : IndexScratch.bytes(layout, backend, promptTokens));
    }

    @Override
    public long turnAttentionBytes(int before, int tokens) {
        return attention.bytes(before, tokens);
    }

    @Override
    public long decodeBytes(int rows, int capacityTokens) {
        ShadowLayout layout = layout(SequenceSize.of(capacityTokens));
        long scores = (long) rows * shape.kvHeads() * layout.unitCapacity() * Float.BYTES;
        // Each further budget has write rows and attended rows of its own in the step's row table.
        long rowTables = (spec.budget().distinct().size() - 1L) * 2 * rows * Integer.BYTES;
        return layout.isAlwaysWhole() ? 0 : scores + rowTables;
    }
}
