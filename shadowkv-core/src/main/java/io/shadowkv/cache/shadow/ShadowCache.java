package io.shadowkv.cache.shadow;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
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
        if (spec.index() instanceof IndexSpec.TokenCodes
                && !backend.operations().shadow().hasTokenCodes()) {
            throw new IllegalArgumentException("the " + backend.name()
                    + " backend cannot select with the index codes yet; it has the index landmarks (--index landmarks)."
                    + " The cpu backend has both");
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
    public SequenceCache restore(SequenceSize size, LayerRotaries rotary, Map<String, Long> numbers) {
        return ShadowSequence.restore(layout(size), backend, rotary, numbers);
    }

    @Override
    public List<PromptCache> extend(List<Turn> turns) {
        Map<Object, List<Turn>> groups = new LinkedHashMap<>();
        for (Turn turn : turns) {
            ShadowSequence sequence = (ShadowSequence) turn.sequence();
            Object key = sequence.isFork() ? sequence.indexOwner() : turn;
            groups.computeIfAbsent(key, owner -> new ArrayList<>()).add(turn);
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
            opened.values().forEach(PromptCache::close);
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
    public long decodeBytes(int rows, int capacityTokens) {
        ShadowLayout layout = layout(SequenceSize.of(capacityTokens));
        long scores = (long) rows * shape.kvHeads() * layout.unitCapacity() * Float.BYTES;
        // Each further budget has write rows and attended rows of its own in the step's row table.
        long rowTables = (spec.budget().distinct().size() - 1L) * 2 * rows * Integer.BYTES;
        return layout.isAlwaysWhole() ? 0 : scores + rowTables;
    }
}
