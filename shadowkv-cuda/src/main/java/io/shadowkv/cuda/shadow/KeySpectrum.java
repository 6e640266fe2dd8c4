package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.linear.MatrixProduct;
import io.shadowkv.cuda.linear.MatrixProducts;
import io.shadowkv.cuda.linear.PlainProduct;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// The subspace of a layer's keys: tensor cores compute their Gram matrix, cuSOLVER its
/// eigenvectors. Thread-safe; usually on the side queue, whose thread waits for each solution.
public final class KeySpectrum implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int FLOAT_ROWS = 512;

    private final CudaParts parts;
    private final MatrixProducts products;
    private final PlainProduct plain;
    private final EigenSolvers solvers;

    public KeySpectrum(CudaParts parts) {
        this.parts = parts;
        this.products = new MatrixProducts(parts);
        this.plain = new PlainProduct(parts);
        this.solvers = new EigenSolvers(parts);
    }

    /// `gram += keysᵀ · keys`, sums in float.
    ///
    /// @param keys `[t, D]`
    /// @param gram F32 `[D, D]`
    public void accumulateGram(Tensor keys, Tensor gram) {
        if (keys.elements() == 0) {
            return;
        }
        // Shorter sums in float are more accurate. For 16-bit keys one sum is as accurate as the
        // keys are.
        int step = keys.dtype() == DType.F32 ? FLOAT_ROWS : keys.extent(0);
        for (int from = 0; from < keys.extent(0); from += step) {
            accumulatePiece(keys.slice(from, Math.min(step, keys.extent(0) - from)), gram);
        }
    }

    private void accumulatePiece(Tensor keys, Tensor gram) {
        MatrixProduct product = MatrixProduct.gram(parts.context(), keys, gram);
        if (product == null || !products.run(product, keys, keys, null, gram, gram)) {
            plain.gram(keys, gram);
        }
    }

    /// `plain = factor · basis`, sums in float.
    ///
    /// @param factor `[t, rank]`
    /// @param basis `[rank, D]`
    /// @param plain F32 `[t, D]`
    void expand(Tensor factor, Tensor basis, Tensor plain) {
        MatrixProduct product = MatrixProduct.rows(parts.context(), factor, basis, plain);
        if (product == null || !products.run(product, basis, factor, null, plain, plain)) {
            this.plain.rows(factor, basis, plain);
        }
    }

    /// Computes the eigenvectors of the largest eigenvalues as rows, largest first. Waits for the
    /// queue.
    ///
    /// @param gram F32 `[D, D]`, not changed
    /// @param basis `[rank, D]`; rows from D on are set to zero
    /// @throws io.shadowkv.cuda.ffi.CudaException if the matrix has NaN or infinities
    public void topEigenvectors(Tensor gram, Tensor basis) {
        int width = gram.extent(0);
        int rank = basis.extent(0);
        int count = Math.min(rank, width);
        // For F32 keys, directions of nearly equal energy must be separated as an exact solver
        // does.
        DType type = basis.dtype() == DType.F32 ? DType.F64 : DType.F32;
        long vectors = solvers.of(parts.queue()).solve(gram, count, type);
        Kernel kernel = parts.kernel(KernelSource.of("eigen_rows.cu", "eigenRows")
                .with("OUT", KernelTypes.name(basis.dtype()))
                .with("VECTOR", KernelTypes.name(type)));
        kernel.launch(parts.queue(), Grid.of(rank, THREADS), vectors, count, width, basis);
    }

    @Override
    public void close() {
        products.close();
        solvers.close();
    }
}
