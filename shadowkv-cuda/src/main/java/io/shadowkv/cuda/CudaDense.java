package io.shadowkv.cuda;

import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Stub; helper "dense" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class CudaDense implements DenseOperations, AutoCloseable {
    CudaDense(CudaParts parts) {}

    @Override
    public void embed(Tensor ids, Tensor table, Tensor out) { throw new IllegalStateException("not written yet"); }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out) { throw new IllegalStateException("not written yet"); }

    @Override
    public void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor out) { throw new IllegalStateException("not written yet"); }

    @Override
    public void argmax(Tensor logits, Tensor ids) { throw new IllegalStateException("not written yet"); }

    @Override
    public void fillNormal(Tensor target, long seed, double deviation) { throw new IllegalStateException("not written yet"); }

    @Override
    public void add(Tensor target, Tensor source) { throw new IllegalStateException("not written yet"); }

    @Override
    public void gatedSilu(Tensor gate, Tensor up) { throw new IllegalStateException("not written yet"); }

    @Override
    public void rotate(Tensor x, Tensor positions, Rotary rotary) { throw new IllegalStateException("not written yet"); }

    @Override
    public void copy(Tensor source, Tensor target) { throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
