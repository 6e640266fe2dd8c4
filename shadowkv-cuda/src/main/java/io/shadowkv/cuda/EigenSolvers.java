package io.shadowkv.cuda;

import io.shadowkv.cuda.ffi.Cusolver;
import org.jspecify.annotations.Nullable;

/// The eigensolvers of all queues. cuSOLVER is opened when first needed: full attention runs without it. Thread-safe.
final class EigenSolvers implements AutoCloseable {
    private final CudaParts parts;
    private final PerQueue<EigenSolver> held;
    private @Nullable Cusolver library;

    EigenSolvers(CudaParts parts) {
        this.parts = parts;
        this.held = new PerQueue<>(queue -> new EigenSolver(parts, queue, library()));
    }

    EigenSolver of(CudaQueue queue) {
        return held.of(queue);
    }

    private synchronized Cusolver library() {
        Cusolver opened = library;
        if (opened == null) {
            opened = Cusolver.open(parts.context().libraryFolder());
            library = opened;
        }
        return opened;
    }

    @Override
    public void close() {
        held.forEach(EigenSolver::close);
    }
}
