package io.shadowkv.cache.shadow;

import io.shadowkv.cache.shadow.index.LayerMemory;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// Plain (pre-RoPE) keys of one layer as a product A · B with A `[tokens, rank]` and B
/// `[rank, kvWidth]`. All heads share one subspace.
///
/// The rows of B are the leading eigenvectors of KᵀK, and A = K · Bᵀ. This is the best rank-r
/// approximation, the same as the paper's SVD (arXiv 2410.21465, section 4), computed with one
/// matrix product instead of an SVD of the tall matrix. Plain keys are recovered from the rotated
/// ones, so that prompt and generated tokens use the same code and no second copy of the keys is
/// needed.
final class LowRankKeys {
    private Tensor factor;
    private final Tensor basis;
    private final DenseOperations dense;
    private final ShadowOperations shadow;

    /// @param memory memory of the basis
    /// @param growing memory of the factor
    LowRankKeys(ShadowLayout layout, Backend backend, LayerMemory memory, LayerMemory growing) {
        DType type = layout.shape().kvType();
        this.factor = growing.allocate(type, layout.indexedTokens(), layout.rank());
        this.basis = memory.allocate(type, layout.rank(), layout.shape().kvWidth());
        this.dense = backend.operations().dense();
        this.shadow = backend.operations().shadow();
    }

    /// A, `[indexedTokens, rank]`.
    Tensor factor() {
        return factor;
    }

    /// B, `[rank, kvWidth]`.
    Tensor basis() {
        return basis;
    }

    /// Moves the factor to memory for more tokens.
    ///
    /// @param tokens number of tokens that it has
    void grow(ShadowLayout larger, LayerMemory memory, int tokens) {
        Tensor grown = memory.allocate(factor.dtype(), larger.indexedTokens(), larger.rank());
        if (tokens > 0) {
            dense.copy(factor.slice(0, tokens), grown.slice(0, tokens));
        }
        factor = grown;
    }

    /// All tensors, in a fixed order.
    List<Tensor> tensors() {
        return List.of(factor, basis);
    }

    /// Computes the subspace of the first `tokens` keys and projects the first `contextTokens` keys
    /// onto it.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`, row t belongs to token t
    void fit(Tensor keys, int tokens, int contextTokens, Rotary rotary, IndexScratch scratch) {
        dense.copy(scratch.zeros(), scratch.gram());
        int step = scratch.plain().extent(0);
        for (int from = 0; from < tokens; from += step) {
            Tensor plain = scratch.plain().slice(0, Math.min(step, tokens - from));
            shadow.unrotate(keys, from, plain.extent(0), from, rotary, plain);
            shadow.accumulateGram(plain, scratch.gram());
        }
        shadow.topEigenvectors(scratch.gram(), basis);
        project(keys, 0, contextTokens, 0, rotary, scratch.plain());
    }

    /// Projects `count` keys onto the subspace and stores them as rows `firstToken` and following
    /// of A.
    ///
    /// @param keys rotated, `[kvHeads, capacity, headDim]`; rows from `row` on are read
    /// @param firstToken position of the first of them
    /// @param scratch activation type `[any, kvWidth]`
    void project(Tensor keys, int row, int count, int firstToken, Rotary rotary, Tensor scratch) {
        int step = scratch.extent(0);
        for (int from = 0; from < count; from += step) {
            Tensor plain = scratch.slice(0, Math.min(step, count - from));
            int rows = plain.extent(0);
            shadow.unrotate(keys, row + from, rows, firstToken + from, rotary, plain);
            dense.linear(plain, basis, null, factor.slice(firstToken + from, rows));
        }
    }
}
