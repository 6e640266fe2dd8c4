package io.shadowkv.cache.full;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.KeyValueSource;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.op.Backend;
import java.util.List;
import java.util.Map;

/// Full attention: keeps every key and value of a sequence in device memory, one region per layer.
public final class FullCache implements CacheStrategy {
    private final CacheShape shape;
    private final PrefillAttention attention;
    private final Backend backend;

    /// @param attention how prompts attend
    public FullCache(CacheShape shape, PrefillAttention attention, Backend backend) {
        this.shape = shape;
        this.attention = attention;
        this.backend = backend;
    }

    @Override
    public PromptCache openPrompt(int promptTokens, SequenceSize size, LayerRotaries rotary) {
        return allocate(size, rotary).openPrompt(promptTokens);
    }

    @Override
    public SequenceCache openFrom(KeyValueSource prompt, int tokens, SequenceSize size) {
        FullSequence sequence = allocate(size, prompt.rotary());
        try {
            for (int layer = 0; layer < shape.layers(); layer++) {
                backend.operations().shadow().copyRows(prompt.keys(layer), 0, tokens, sequence.keys(layer), 0);
                backend.operations().shadow().copyRows(prompt.values(layer), 0, tokens, sequence.values(layer), 0);
            }
            // Wait for the copies, so that a caller that measures this method measures the copies
            // and not only their launch.
            backend.synchronize();
            sequence.filled(tokens);
            return sequence;
        } catch (RuntimeException e) {
            sequence.close();
            throw e;
        }
    }

    @Override
    public SequenceCache restore(SequenceSize size, LayerRotaries rotary, Map<String, Long> numbers) {
        long length = numbers.getOrDefault("length", -1L);
        if (length < 1 || length > size.capacityTokens()) {
            throw new IllegalArgumentException(
                    "a saved sequence has " + length + " tokens; expected 1 to " + size.capacityTokens());
        }
        FullSequence sequence = allocate(size, rotary);
        sequence.filled((int) length);
        return sequence;
    }

    private FullSequence allocate(SequenceSize size, LayerRotaries rotary) {
        return FullSequence.allocate(shape, attention, backend, size, rotary);
    }

    @Override
    public DecodeCache openDecode() {
        return new FullDecodeCache(shape, backend);
    }

    @Override
    public List<Allocation> footprint(SequenceSize size) {
        return footprint(shape, size.reservedTokens());
    }

    static List<Allocation> footprint(CacheShape shape, int capacity) {
        long bytes = 2L * shape.layers() * shape.kvWidth() * shape.kvType().bytes() * capacity;
        return List.of(new Allocation("keys and values", bytes, Backend.Place.DEVICE));
    }

    @Override
    public long promptWorkspaceBytes(int promptTokens) {
        return attention.bytes(0, promptTokens);
    }

    @Override
    public long decodeBytes(int rows, int capacityTokens) {
        return 0;
    }
}
