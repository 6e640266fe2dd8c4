package io.shadowkv.cache.shadow.index;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.IndexedLayer.UnitIndex;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// Token codes: the key of every token in two bits a dimension, less the mean key of the context that
/// was read first. Later tokens are encoded with the same mean, which only has to be near theirs.
/// Nothing is an outlier.
final class TokenCodeIndex implements SelectionIndex {
    private TokenCodes view;
    private final Tensor means;
    private final Tensor outliers;
    private final Backend backend;

    TokenCodeIndex(IndexShape shape, Backend backend, LayerMemory memory, LayerMemory growing) {
        CacheShape cache = shape.cache();
        int heads = cache.kvHeads();
        this.view = allocate(shape, growing);
        this.means = memory.allocate(DType.F32, heads, cache.headDim());
        this.outliers = memory.allocate(DType.I32, heads, 0);
        this.backend = backend;
    }

    private static TokenCodes allocate(IndexShape shape, LayerMemory memory) {
        CacheShape cache = shape.cache();
        int heads = cache.kvHeads();
        int blocks = TokenCodes.blocks(shape.unitCapacity());
        Tensor codes =
                memory.allocate(DType.I32, heads, blocks, TokenCodes.words(cache.headDim()), TokenCodes.BLOCK_TOKENS);
        Tensor scales = memory.allocate(DType.BF16, heads, blocks * TokenCodes.BLOCK_TOKENS);
        return new TokenCodes(codes, scales, memory.allocate(DType.I32, heads, shape.unitCapacity()));
    }

    @Override
    public void grow(IndexShape larger, LayerMemory memory, int units) {
        TokenCodes grown = allocate(larger, memory);
        int blocks = TokenCodes.blocks(units);
        if (units > 0) {
            UnitBuffers.copyHeads(backend, view.codes(), grown.codes(), blocks);
            UnitBuffers.copyHeads(backend, view.scales(), grown.scales(), blocks * TokenCodes.BLOCK_TOKENS);
            UnitBuffers.copyHeads(backend, view.unitIds(), grown.unitIds(), units);
        }
        view = grown;
    }

    @Override
    public UnitIndex view() {
        return view;
    }

    @Override
    public Tensor outliers() {
        return outliers;
    }

    @Override
    public List<Tensor> tensors() {
        return List.of(view.codes(), view.scales(), view.unitIds(), means);
    }

    @Override
    public void build(Tensor keys, UnitBuffers buffers) {
        shadow().meanKeys(keys, buffers.units(), means);
        extend(keys, 0, 0, buffers);
    }

    @Override
    public void extend(Tensor keys, int rowUnit, int at, UnitBuffers buffers) {
        int count = buffers.units();
        shadow().encodeKeys(keys, rowUnit, count, means, view.codes(), view.scales(), at);
        for (int head = 0; head < view.unitIds().extent(0); head++) {
            backend.operations()
                    .dense()
                    .copy(buffers.numbers(), view.unitIds().row(head).slice(at, count));
        }
    }

    private ShadowOperations shadow() {
        return backend.operations().shadow();
    }
}
