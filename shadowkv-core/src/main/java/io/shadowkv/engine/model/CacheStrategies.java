package io.shadowkv.engine.model;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.full.FullCache;
import io.shadowkv.cache.shadow.ShadowCache;
import io.shadowkv.op.Backend;

/// Creates the strategy that a spec describes. No other code names the strategies.
public final class CacheStrategies {
    private CacheStrategies() {}

    /// @param shape shape of the decoder whose keys and values are stored
    /// @param backend provides memory and operations; the caller must close it
    public static CacheStrategy open(KvCacheSpec spec, CacheShape shape, Backend backend) {
        return switch (spec) {
            case KvCacheSpec.Full full -> new FullCache(shape, backend);
            case KvCacheSpec.Shadow shadow -> new ShadowCache(shadow, shape, backend);
        };
    }
}
