package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;

/// The limit for kernels whose blocks wait for each other: the device must run all blocks at the
/// same time. Otherwise the running blocks would wait forever for a block that cannot start.
final class Residency {
    private Residency() {}

    /// @param perMultiprocessor blocks that a multiprocessor runs at the same time
    /// @throws CudaException if the device cannot run all blocks of the grid at the same time
    static void check(String kernel, Grid grid, int perMultiprocessor, int multiprocessors, String device) {
        long most = (long) perMultiprocessor * multiprocessors;
        if (grid.blocks() < 1 || grid.blocks() > most) {
            throw new CudaException(
                    "the blocks of kernel %s wait for each other, and %,d are asked for; %s runs 1 to %,d of them at the same time (%d on each of %d multiprocessors at %d threads and %,d bytes of shared memory). Report this with the model's name and the batch"
                            .formatted(
                                    kernel,
                                    grid.blocks(),
                                    device,
                                    most,
                                    perMultiprocessor,
                                    multiprocessors,
                                    grid.threads(),
                                    grid.sharedBytes()));
        }
    }
}
