package io.shadowkv.cuda;

import io.shadowkv.tensor.Tensor;

/// Stub; helper "prefill" writes it.
@SuppressWarnings("DoNotCallSuggester")
final class PrefillAttention implements AutoCloseable {
    PrefillAttention(CudaParts parts) {}

    String description() { return "own attention"; }

    void run(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) { if (keyCount == 0) { return; } throw new IllegalStateException("not written yet"); }

    @Override
    public void close() {}
}
