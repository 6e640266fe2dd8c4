package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// A product in cuBLASLt's column-major order: `D [m, n] = op(A) [m, k] · op(B) [k, n]`, plus C if
/// `isAdded`, plus bias `[m]` if `hasBias`. Matrices are dense: a row-major `[r, c]` is a
/// column-major `[c, r]`.
///
/// @param in type of A, B and bias
/// @param out type of C and D
/// @param isATransposed true if A is stored as `[k, m]`
/// @param isBTransposed true if B is stored as `[n, k]`
/// @param alignment all addresses are multiples of this number of bytes, at most 256
public record MatrixProduct(
        DType in,
        DType out,
        int m,
        int n,
        int k,
        boolean isATransposed,
        boolean isBTransposed,
        boolean isAdded,
        boolean hasBias,
        int alignment) {
    private static final int ROW_ALIGNMENT = 16;
    private static final int MOST_ALIGNMENT = 256;
    /// Up to this number of rows, each row count has its own algorithm.
    private static final int EXACT_ROWS = 64;

    /// `out [r, o] = x [r, k] · weight [o, k]ᵀ`, or null if the library would be slow or wrong: for
    /// mixed types, and for rows that do not start at multiples of 16 bytes.
    public static @Nullable MatrixProduct linear(
            CudaContext context, Tensor x, Tensor weight, @Nullable Tensor bias, boolean isAdded, Tensor out) {
        DType type = x.dtype();
        // The library reads a bias in the output's type.
        boolean isOutServed = out.dtype() == type || (out.dtype() == DType.F32 && bias == null);
        if (weight.dtype() != type || !isOutServed || (bias != null && bias.dtype() != type)) {
            return null;
        }
        int k = weight.extent(1);
        int m = weight.extent(0);
        int n = Math.toIntExact(x.elements() / k);
        int alignment = alignment(context, x, weight, out);
        if (bias != null) {
            alignment = Math.min(alignment, alignment(context, bias));
        }
        return checked(new MatrixProduct(type, out.dtype(), m, n, k, true, false, isAdded, bias != null, alignment));
    }

    /// `gram [D, D] += keys [t, D]ᵀ · keys`, or null under the same conditions.
    public static @Nullable MatrixProduct gram(CudaContext context, Tensor keys, Tensor gram) {
        int width = gram.extent(0);
        int tokens = Math.toIntExact(keys.elements() / width);
        int alignment = alignment(context, keys, gram);
        return checked(new MatrixProduct(
                keys.dtype(), gram.dtype(), width, width, tokens, false, true, true, false, alignment));
    }

    /// `out [t, m] = left [t, k] · right [k, m]`, or null under the same conditions.
    public static @Nullable MatrixProduct rows(CudaContext context, Tensor left, Tensor right, Tensor out) {
        if (left.dtype() != right.dtype() || (out.dtype() != left.dtype() && out.dtype() != DType.F32)) {
            return null;
        }
        int alignment = alignment(context, left, right, out);
        return checked(new MatrixProduct(
                left.dtype(),
                out.dtype(),
                right.extent(1),
                left.extent(0),
                left.extent(1),
                false,
                false,
                false,
                false,
                alignment));
    }

    private static @Nullable MatrixProduct checked(MatrixProduct product) {
        boolean isServed = isComputed(product.in)
                && isComputed(product.out)
                && product.alignment >= ROW_ALIGNMENT
                && (long) product.leadingA() * product.in.bytes() % ROW_ALIGNMENT == 0
                && (long) product.leadingB() * product.in.bytes() % ROW_ALIGNMENT == 0
                && (long) product.m * product.out.bytes() % ROW_ALIGNMENT == 0;
        return isServed ? product : null;
    }

    private static boolean isComputed(DType type) {
        return type == DType.F32 || type == DType.BF16 || type == DType.F16;
    }

    private static int alignment(CudaContext context, Tensor... tensors) {
        long bits = MOST_ALIGNMENT;
        for (Tensor tensor : tensors) {
            bits |= context.address(tensor);
        }
        return (int) Long.lowestOneBit(bits);
    }

    /// Elements between the starts of adjacent columns of A in memory.
    int leadingA() {
        return isATransposed ? k : m;
    }

    int leadingB() {
        return isBTransposed ? n : k;
    }

    /// The same product with its number of rows or tokens rounded up. One measurement serves all
    /// products that round to it.
    MatrixProduct bucket() {
        return isBTransposed ? withSizes(n, rounded(k)) : withSizes(rounded(n), k);
    }

    private MatrixProduct withSizes(int otherN, int otherK) {
        return new MatrixProduct(in, out, m, otherN, otherK, isATransposed, isBTransposed, isAdded, hasBias, alignment);
    }

    private static int rounded(int rows) {
        int step = rows <= EXACT_ROWS ? 1 : Math.max(EXACT_ROWS, Integer.highestOneBit(rows - 1) / 2);
        return Math.ceilDiv(rows, step) * step;
    }
}
