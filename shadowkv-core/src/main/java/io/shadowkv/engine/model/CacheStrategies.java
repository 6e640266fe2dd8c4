package io.shadowkv.engine.model;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.full.FullCache;
import io.shadowkv.cache.prefill.HeadShape;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cache.prefill.PrefillAttention;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cache.shadow.ShadowCache;
import io.shadowkv.op.Backend;

/// Creates the strategy that a spec describes. No other code names the strategies.
public final class CacheStrategies {
    private CacheStrategies() {}

    /// @param prefill how prompts are read
    /// @param shape shape of the decoder whose keys and values are stored
    /// @param backend provides memory and operations; the caller must close it
    public static CacheStrategy open(KvCacheSpec spec, PrefillSpec prefill, CacheShape shape, Backend backend) {
        PrefillAttention attention = PrefillAttention.of(prefill, heads(shape), backend);
        return switch (spec) {
            case KvCacheSpec.Full full -> new FullCache(shape, attention, backend);
            case KvCacheSpec.Shadow shadow -> new ShadowCache(shadow, shape, attention, backend);
        };
    }

    /// Full attention, whose prompts are read exactly while `trials` receives what candidates of patterns
    /// would keep.
    ///
    /// @param rows number of rows of a text that are measured
    static CacheStrategy trying(PatternTrials trials, int rows, CacheShape shape, Backend backend) {
        return new FullCache(shape, PrefillAttention.trying(trials, rows, heads(shape), backend), backend);
    }

    private static HeadShape heads(CacheShape shape) {
        return new HeadShape(shape.layers(), shape.queryHeads(), shape.kvHeads(), shape.headDim());
    }
}
