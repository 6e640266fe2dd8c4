package io.shadowkv.engine.study;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;

/// One way to answer: how prompts are read, and which cache strategy decodes.
public record ComparedStrategy(KvCacheSpec cache, PrefillSpec prefill) {
    /// True if it reads and decodes with full attention.
    boolean isFull() {
        return cache instanceof KvCacheSpec.Full && prefill instanceof PrefillSpec.Exact;
    }

    String label() {
        String how = prefill instanceof PrefillSpec.Exact ? "" : " with prefill " + prefill.label();
        return cache.name() + how;
    }
}
