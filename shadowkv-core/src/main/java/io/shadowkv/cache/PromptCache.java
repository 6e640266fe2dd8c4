package io.shadowkv.cache;

import io.shadowkv.tensor.Tensor;

/// The cache of one sequence during prefill. It is filled layer by layer and, within a layer, some
/// prefill rows at a time. Attention is exact under every strategy.
public interface PromptCache extends AutoCloseable {
    /// Appends the next t tokens of `layer`.
    ///
    /// @param keys rotated, `[t, kvHeads, headDim]`
    /// @param values `[t, kvHeads, headDim]`
    void append(int layer, Tensor keys, Tensor values);

    /// Causal attention of the last t tokens to all tokens of `layer` so far.
    ///
    /// @param queries rotated, `[t, queryHeads, headDim]`
    /// @param out `[t, queryHeads, headDim]`
    void attend(int layer, Tensor queries, double scale, Tensor out);

    /// Ends `layer` after its last token. The strategy builds what decode will read, on the side
    /// queue if the backend has one.
    void finishLayer(int layer);

    /// Ends prefill and transfers the memory to the returned sequence. This cache cannot be used
    /// afterwards.
    ///
    /// @throws IllegalStateException if a layer is not finished
    SequenceCache seal();

    /// Frees everything unless sealed.
    @Override
    void close();
}
