package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.LaunchTimer;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Linear layers. A few rows of a 16-bit type are multiplied by this project's kernel, unless
/// cuBLASLt was clearly faster when it was measured for these sizes; more rows by cuBLASLt;
/// unaligned sizes and mixed types by a plain kernel. Thread-safe.
final class Linear implements AutoCloseable {
    /// How much faster cuBLASLt must be. In a recorded step this project's kernels fetch their
    /// first weights while the preceding kernel still runs; a timing of one kernel does not show
    /// that.
    private static final float CLEARLY = 1.15f;

    private final CudaParts parts;
    private final MatrixProducts products;
    private final SkinnyLinear skinny;
    private final PlainProduct plain;
    private final Map<Sizes, Boolean> isSkinnyFaster = new ConcurrentHashMap<>();

    Linear(CudaParts parts) {
        this.parts = parts;
        this.products = new MatrixProducts(parts);
        this.skinny = new SkinnyLinear(parts);
        this.plain = new PlainProduct(parts);
    }

    /// `outs[i] = x · weights[i]ᵀ + biases[i]`.
    void run(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        if (x.elements() == 0) {
            return;
        }
        if (skinny.serves(x, weights, biases, outs)
                && isFaster(
                        Sizes.of(x, weights, outs.getFirst(), Kind.PLAIN),
                        () -> skinny.run(x, weights, biases, null, outs),
                        () -> eachByItself(x, weights, biases, outs))) {
            skinny.run(x, weights, biases, null, outs);
        } else {
            eachByItself(x, weights, biases, outs);
        }
    }

    private void eachByItself(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        for (int i = 0; i < weights.size(); i++) {
            Tensor weight = weights.get(i);
            Tensor bias = biases.get(i);
            Tensor out = outs.get(i);
            MatrixProduct product = MatrixProduct.linear(parts.context(), x, weight, bias, false, out);
            if (product == null || !products.run(product, weight, x, bias, out, out)) {
                plain.linear(x, weight, bias, out);
            }
        }
    }

    /// `target += x · weightᵀ + bias`, rounded once, if a kernel supports it.
    ///
    /// @param scratch of the type and shape of `target`; overwritten
    /// @return false if no kernel supports it; nothing is enqueued then
    boolean addTo(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        if (x.elements() == 0) {
            return true;
        }
        List<Tensor> weights = List.of(weight);
        List<@Nullable Tensor> biases = java.util.Collections.singletonList(bias);
        MatrixProduct product =
                bias == null ? MatrixProduct.linear(parts.context(), x, weight, null, true, target) : null;
        if (skinny.serves(x, weights, biases, List.of(target))
                && (product == null
                        || isFaster(
                                Sizes.of(x, weights, target, Kind.ADDED),
                                () -> skinny.run(x, weights, biases, target, List.of(scratch)),
                                () -> products.run(product, weight, x, null, target, scratch)))) {
            skinny.run(x, weights, biases, target, List.of(target));
            return true;
        }
        return product != null && products.run(product, weight, x, null, target, target);
    }

    /// `gate = silu(x · weights[0]ᵀ + biases[0]) * (x · weights[1]ᵀ + biases[1])` in one launch, if
    /// that is possible and not clearly slower than two products.
    ///
    /// @param up scratch of the type and shape of `gate`
    /// @return false if it is not; nothing is enqueued then
    boolean runGated(Tensor x, List<Tensor> weights, List<@Nullable Tensor> biases, Tensor gate, Tensor up) {
        if (x.elements() == 0) {
            return true;
        }
        if (!skinny.servesGated(x, weights, biases, gate)
                || !isFaster(
                        Sizes.of(x, weights, gate, Kind.GATED),
                        () -> skinny.runGated(x, weights, biases, gate),
                        () -> eachByItself(x, weights, biases, List.of(gate, up)))) {
            return false;
        }
        skinny.runGated(x, weights, biases, gate);
        return true;
    }

    /// True if cuBLASLt was clearly faster when it was first measured. While a step is recorded
    /// nothing can be timed, and an unmeasured size uses this project's kernel.
    private boolean isFaster(Sizes sizes, Runnable ours, Runnable theirs) {
        Boolean known = isSkinnyFaster.get(sizes);
        if (known != null) {
            return known;
        }
        if (parts.context().recordings().isRecording()) {
            return true;
        }
        // The library chooses its algorithm before it is timed.
        theirs.run();
        try (LaunchTimer timer = new LaunchTimer(parts, parts.queue())) {
            boolean isFaster = timer.milliseconds(ours) <= CLEARLY * timer.milliseconds(theirs);
            isSkinnyFaster.put(sizes, isFaster);
            return isFaster;
        }
    }

    @Override
    public void close() {
        products.close();
    }

    /// What is done with a product.
    private enum Kind {
        PLAIN,
        ADDED,
        GATED
    }

    /// The properties that a choice depends on.
    private record Sizes(DType type, DType outType, int rows, int inputs, List<Integer> outputs, Kind kind) {
        static Sizes of(Tensor x, List<Tensor> weights, Tensor out, Kind kind) {
            int inputs = weights.getFirst().extent(1);
            List<Integer> outputs =
                    weights.stream().map(weight -> weight.extent(0)).toList();
            return new Sizes(x.dtype(), out.dtype(), Math.toIntExact(x.elements() / inputs), inputs, outputs, kind);
        }
    }
}
