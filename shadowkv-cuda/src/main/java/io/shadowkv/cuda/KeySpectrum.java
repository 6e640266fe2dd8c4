package io.shadowkv.cuda;

import io.shadowkv.tensor.Tensor;

/// The subspace that a layer's keys lie in: their gram by tensor cores, its eigenvectors by cuSOLVER. Thread-safe;
/// usually on the side queue, whose thread waits for each solution.
final class KeySpectrum implements AutoCloseable {
    private static final int THREADS = 256;

    private final CudaParts parts;
    private final MatrixProducts products;
    private final PlainProduct plain;
    private final EigenSolvers solvers;

    KeySpectrum(CudaParts parts) {
        this.parts = parts;
        this.products = new MatrixProducts(parts);
        this.plain = new PlainProduct(parts);
        this.solvers = new EigenSolvers(parts);
    }

    /// `gram += keysᵀ · keys`, sums in float.
    ///
    /// @param keys [t, D]
    /// @param gram F32 [D, D]
    void accumulateGram(Tensor keys, Tensor gram) {
        if (keys.elements() == 0) {
            return;
        }
        MatrixProduct product = MatrixProduct.gram(parts.context(), keys, gram);
        if (product == null || !products.run(product, keys, keys, null, gram, gram)) {
            plain.gram(keys, gram);
        }
    }

    /// The eigenvectors of the largest eigenvalues as rows, largest first. Waits for the queue.
    ///
    /// @param gram F32 [D, D], left as it is
    /// @param basis [rank, D]; rows from D on become zero
    /// @throws CudaException if the matrix holds NaN or infinities
    void topEigenvectors(Tensor gram, Tensor basis) {
        int width = gram.extent(0);
        int rank = basis.extent(0);
        int count = Math.min(rank, width);
        long vectors = solvers.of(parts.queue()).solve(gram, count);
        Kernel kernel = parts.kernel(
                KernelSource.of("eigen_rows.cu", "eigenRows").with("OUT", KernelTypes.name(basis.dtype())));
        kernel.launch(parts.queue(), Grid.of(rank, THREADS), vectors, count, width, basis);
    }

    @Override
    public void close() {
        products.close();
        solvers.close();
    }
}
