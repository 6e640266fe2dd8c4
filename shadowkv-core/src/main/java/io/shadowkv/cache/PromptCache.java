package io.shadowkv.cache;

import io.shadowkv.tensor.Tensor;

/// One sequence during prefill: filled layer by layer, within a layer chunk after chunk of the prompt.
/// Attention is exact, whatever the strategy.
public interface PromptCache extends AutoCloseable {
    /// Takes the next t tokens of `layer`.
    ///
    /// @param keys rotated, `[t, kvHeads, headDim]`
    /// @param values `[t, kvHeads, headDim]`
    void append(int layer, Tensor keys, Tensor values);

    /// Causal attention of the last t tokens over all tokens of `layer` so far.
    ///
    /// @param queries rotated, `[t, queryHeads, headDim]`
    /// @param out `[t, queryHeads, headDim]`
    void attend(int layer, Tensor queries, double scale, Tensor out);

    /// All tokens of `layer` are in: the strategy turns them into what decode reads, beside what follows where
    /// the backend can.
    void finishLayer(int layer);

    /// Ends prefill; this cache is used up, the sequence owns its memory.
    ///
    /// @throws IllegalStateException if a layer is not finished
    SequenceCache seal();

    /// Frees everything unless sealed.
    @Override
    void close();
}
