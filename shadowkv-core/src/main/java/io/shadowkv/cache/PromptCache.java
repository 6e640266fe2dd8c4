package io.shadowkv.cache;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.cache.prefill.RowOrder;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// The cache of one sequence during prefill. It is filled layer by layer and, within a layer, some
/// prefill rows at a time. Attention is as its [io.shadowkv.cache.prefill.PromptAttention] computes
/// it, exactly or to some of the keys, under every strategy.
public interface PromptCache extends AutoCloseable {
    /// Appends the next t tokens of `layer`.
    ///
    /// @param keys rotated, `[t, kvHeads, headDim]`
    /// @param values `[t, kvHeads, headDim]`
    void append(int layer, Tensor keys, Tensor values);

    /// In which order the rows of each layer must be appended and attend.
    RowOrder order();

    /// Takes the queries of the last rows, after all tokens of `layer` were appended and before any
    /// attends. Called if [RowOrder#observed] is not 0.
    ///
    /// @param queries rotated, `[observed or fewer, queryHeads, headDim]`
    void observe(int layer, Tensor queries, double scale);

    /// Causal attention of t consecutive new tokens to the tokens of `layer` before them.
    ///
    /// @param first number of the first of the t tokens among the new tokens; all t were appended
    /// @param queries rotated, `[t, queryHeads, headDim]`
    /// @param out `[t, queryHeads, headDim]`
    void attend(int layer, int first, Tensor queries, double scale, Tensor out);

    /// How much of each layer's attention was computed; empty if attention is exact. Must not be
    /// called after [#seal].
    List<LayerDensity> densities();

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
