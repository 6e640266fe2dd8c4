package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.ffi.Cusolver;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PerQueue;
import org.jspecify.annotations.Nullable;

/// The eigensolvers of all queues. cuSOLVER is opened when it is first needed, so full attention
/// runs without it. Thread-safe.
public final class EigenSolvers implements AutoCloseable {
    private final CudaParts parts;
    private final PerQueue<EigenSolver> held;
    private @Nullable Cusolver library;

    public EigenSolvers(CudaParts parts) {
        this.parts = parts;
        this.held = new PerQueue<>(queue -> new EigenSolver(parts, queue, library()));
    }

    public EigenSolver of(CudaQueue queue) {
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
