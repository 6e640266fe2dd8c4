package io.shadowkv.cache.prefill;

/// Layers and heads of a decoder.
public record HeadShape(int layers, int queryHeads, int kvHeads, int headDim) {
    int groupSize() {
        return queryHeads / kvHeads;
    }
}
