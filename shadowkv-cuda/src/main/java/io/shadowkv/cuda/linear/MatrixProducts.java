package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.ffi.CublasLt;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.LaunchTimer;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Matrix products by cuBLASLt. The algorithms that its heuristics offer are measured once, and the
/// fastest serves all products of about the same size. All sums are in float: no TF32, and no
/// partial sums in a 16-bit type. Thread-safe; each queue has its own descriptors and work space.
public final class MatrixProducts implements AutoCloseable {
    private static final int COMPUTE_FLOAT = 68;
    private static final int FLOAT = 0;
    private static final int TRANSPOSE_A = 3;
    private static final int TRANSPOSE_B = 4;
    private static final int EPILOGUE = 7;
    private static final int BIAS_EPILOGUE = 4;
    private static final int BIAS_POINTER = 8;
    private static final int WORKSPACE_BYTES_ATTRIBUTE = 1;
    private static final int REDUCTIONS_ATTRIBUTE = 3;
    private static final int FIRST_ALIGNMENT_ATTRIBUTE = 5;
    private static final int REDUCTION_IN_COMPUTE_TYPE = 2;

    private static final int CANDIDATES = 8;
    /// The size that NVIDIA recommends for Hopper.
    private static final int WORKSPACE_BYTES = 32 << 20;
    /// Limits the number of plans: the last prefill rows of a prompt can be of any number.
    private static final int MOST_PLANS = 2048;

    private final CudaParts parts;
    private final int mostCandidates;
    private final CublasLt library;
    private final long handle;
    private final Map<MatrixProduct, byte[]> measured = new ConcurrentHashMap<>();
    private final PerQueue<Plans> plans;

    public MatrixProducts(CudaParts parts) {
        this(parts, CANDIDATES);
    }

    /// @param mostCandidates maximum number of algorithms to measure
    public MatrixProducts(CudaParts parts, int mostCandidates) {
        this.parts = parts;
        this.mostCandidates = mostCandidates;
        this.library = CublasLt.open(parts.context().libraryFolder());
        parts.context().makeCurrent();
        this.handle = library.cublasLtCreate();
        this.plans = new PerQueue<>(Plans::new);
    }

    /// Enqueues a product on the calling thread's queue.
    ///
    /// @param added C, read if the product has `isAdded`; may be `target`
    /// @return false if the library has no algorithm for it; nothing is enqueued then
    public boolean run(MatrixProduct product, Tensor a, Tensor b, @Nullable Tensor bias, Tensor added, Tensor target) {
        CudaQueue queue = parts.queue();
        parts.context().makeCurrent();
        return plans.of(queue)
                .run(product, new Operands(address(a), address(b), address(bias), address(added)), target);
    }

    private long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : parts.context().address(tensor);
    }

    @Override
    public void close() {
        parts.context().makeCurrent();
        plans.forEach(Plans::close);
        library.cublasLtDestroy(handle);
    }

    private static int type(DType dtype) {
        return switch (dtype) {
            case F32 -> FLOAT;
            case F16 -> 2;
            case BF16 -> 14;
            default -> throw new IllegalArgumentException("cuBLASLt cannot multiply " + dtype);
        };
    }

    /// Addresses of the operands; 0 for an absent bias.
    private record Operands(long a, long b, long bias, long added) {}

    /// @param layouts of A, B, C and D
    /// @param algorithm null if the library has none
    private record Plan(
            long descriptor, long[] layouts, @Nullable MemorySegment algorithm) {}

    /// The descriptors and work space of one queue.
    private final class Plans {
        private final CudaQueue queue;
        private final Map<MatrixProduct, Plan> held = new HashMap<>();
        private final Tensor workspace;
        private Arena arena = Arena.ofShared();
        private MemorySegment factors = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 0, 1, 1);

        Plans(CudaQueue queue) {
            this.queue = queue;
            this.workspace = parts.workScope().allocate(DType.U8, WORKSPACE_BYTES);
        }

        boolean run(MatrixProduct product, Operands operands, Tensor target) {
            Plan plan = held.get(product);
            if (plan == null) {
                plan = plan(product, operands);
                held.put(product, plan);
            }
            MemorySegment algorithm = plan.algorithm;
            if (algorithm == null) {
                return false;
            }
            if (product.hasBias()) {
                library.cublasLtMatmulDescSetAttribute(plan.descriptor, BIAS_POINTER, operands.bias);
            }
            launch(product, plan, algorithm, operands, parts.context().address(target));
            return true;
        }

        private void launch(MatrixProduct product, Plan plan, MemorySegment algorithm, Operands operands, long target) {
            // cuBLASLt needs C's address even if beta is 0.
            long added = product.isAdded() ? operands.added : target;
            library.cublasLtMatmul(
                    handle,
                    plan.descriptor,
                    product.isAdded() ? factors.asSlice(8) : factors,
                    new long[] {operands.a, operands.b, added, target},
                    plan.layouts,
                    algorithm,
                    new long[] {parts.context().address(workspace), WORKSPACE_BYTES},
                    queue.stream());
        }

        private Plan plan(MatrixProduct product, Operands operands) {
            if (held.size() >= MOST_PLANS) {
                discard();
                arena = Arena.ofShared();
                factors = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 0, 1, 1);
            }
            long descriptor = library.cublasLtMatmulDescCreate(COMPUTE_FLOAT, FLOAT);
            library.cublasLtMatmulDescSetAttribute(descriptor, TRANSPOSE_A, product.isATransposed() ? 1 : 0);
            library.cublasLtMatmulDescSetAttribute(descriptor, TRANSPOSE_B, product.isBTransposed() ? 1 : 0);
            if (product.hasBias()) {
                library.cublasLtMatmulDescSetAttribute(descriptor, EPILOGUE, BIAS_EPILOGUE);
                library.cublasLtMatmulDescSetAttribute(descriptor, BIAS_POINTER, operands.bias);
            }
            int m = product.m();
            int n = product.n();
            int k = product.k();
            long a = product.isATransposed() ? layout(product.in(), k, m) : layout(product.in(), m, k);
            long b = product.isBTransposed() ? layout(product.in(), n, k) : layout(product.in(), k, n);
            long d = layout(product.out(), m, n);
            Plan open = new Plan(descriptor, new long[] {a, b, d, d}, null);
            return new Plan(descriptor, open.layouts, algorithm(product, open, operands));
        }

        private long layout(DType dtype, long rows, long columns) {
            return library.cublasLtMatrixLayoutCreate(type(dtype), rows, columns, rows);
        }

        private @Nullable MemorySegment algorithm(MatrixProduct product, Plan plan, Operands operands) {
            MatrixProduct bucket = product.bucket();
            byte[] known = measured.get(bucket);
            if (known != null) {
                MemorySegment algorithm = keep(known);
                if (library.cublasLtMatmulAlgoCheck(
                        handle, plan.descriptor, plan.layouts, algorithm, WORKSPACE_BYTES)) {
                    return algorithm;
                }
            }
            List<byte[]> candidates = candidates(product, plan);
            if (candidates.isEmpty()) {
                return null;
            }
            if (known != null
                    || candidates.size() == 1
                    || parts.context().recordings().isRecording()) {
                return keep(candidates.getFirst());
            }
            byte[] best = fastest(product, plan, operands, candidates);
            measured.put(bucket, best);
            return keep(best);
        }

        private List<byte[]> candidates(MatrixProduct product, Plan plan) {
            long preference = library.cublasLtMatmulPreferenceCreate();
            try {
                library.cublasLtMatmulPreferenceSetAttribute(
                        preference, WORKSPACE_BYTES_ATTRIBUTE, (long) WORKSPACE_BYTES);
                library.cublasLtMatmulPreferenceSetAttribute(
                        preference, REDUCTIONS_ATTRIBUTE, REDUCTION_IN_COMPUTE_TYPE);
                for (int operand = 0; operand < 4; operand++) {
                    library.cublasLtMatmulPreferenceSetAttribute(
                            preference, FIRST_ALIGNMENT_ATTRIBUTE + operand, product.alignment());
                }
                return library.cublasLtMatmulAlgoGetHeuristic(
                        handle, plan.descriptor, plan.layouts, preference, mostCandidates);
            } finally {
                library.cublasLtMatmulPreferenceDestroy(preference);
            }
        }

        /// Measures with a separate target, because a product that adds to its target must run only
        /// once on the real one.
        private byte[] fastest(MatrixProduct product, Plan plan, Operands operands, List<byte[]> candidates) {
            try (LaunchTimer timer = new LaunchTimer(parts, queue);
                    MemoryScope scope = parts.newScope().apply("timing matrix products");
                    Arena temporary = Arena.ofConfined()) {
                Tensor target = scope.allocate(product.out(), product.n(), product.m());
                byte[] best = candidates.getFirst();
                float least = Float.POSITIVE_INFINITY;
                for (byte[] candidate : candidates) {
                    MemorySegment algorithm = copied(candidate, temporary);
                    float time = timer.milliseconds(() -> launch(
                            product, plan, algorithm, operands, parts.context().address(target)));
                    if (time < least) {
                        least = time;
                        best = candidate;
                    }
                }
                return best;
            }
        }

        private MemorySegment keep(byte[] algorithm) {
            return copied(algorithm, arena);
        }

        private static MemorySegment copied(byte[] algorithm, Arena in) {
            MemorySegment words = in.allocate(algorithm.length, 8);
            return words.copyFrom(MemorySegment.ofArray(algorithm));
        }

        private void discard() {
            for (Plan plan : held.values()) {
                library.cublasLtMatmulDescDestroy(plan.descriptor);
                for (int i = 0; i < 3; i++) {
                    library.cublasLtMatrixLayoutDestroy(plan.layouts[i]);
                }
            }
            held.clear();
            arena.close();
        }

        void close() {
            discard();
        }
    }
}
