package io.shadowkv.cuda;

import io.shadowkv.tensor.Tensor;

/// Stub; helper "dense" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class KeySpectrum implements AutoCloseable {
    KeySpectrum(CudaParts parts) {}

    void accumulateGram(Tensor keys, Tensor gram) { throw new IllegalStateException("not written yet"); }

    void topEigenvectors(Tensor gram, Tensor basis) { throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
