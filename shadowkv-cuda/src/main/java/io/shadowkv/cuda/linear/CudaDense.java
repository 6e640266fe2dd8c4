package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.Copies;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.VectorWidth;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Operations on rows outside attention: one kernel each, and linear layers ([Linear]). Enqueued on
/// the calling thread's queue; thread-safe.
public final class CudaDense implements DenseOperations, AutoCloseable {
    private static final int THREADS = 256;
    private static final int MOST_NORM_THREADS = 512;
    private static final int ARGMAX_THREADS = 1024;

    private final CudaParts parts;
    private final Linear linear;
    private final TiledProducts tiled;
    private final Copies copies;

    public CudaDense(CudaParts parts) {
        this.parts = parts;
        this.linear = new Linear(parts);
        this.tiled = new TiledProducts(parts, linear);
        this.copies = new Copies(parts);
    }

    /// An id outside the table gives a row of NaN.
    @Override
    public void embed(Tensor ids, Weight weight, Tensor out) {
        if (!(weight instanceof Tensor table)) {
            tiled.embed(ids, tiled(weight), out);
            return;
        }
        int width = table.extent(1);
        Kernel kernel = parts.kernel(KernelSource.of("embed.cu", "embed")
                .with("TABLE", KernelTypes.name(table.dtype()))
                .with("ACT", KernelTypes.name(out.dtype()))
                .with("VECTOR", VectorWidth.of(parts.context(), width, table, out)));
        if (ids.elements() > 0) {
            kernel.launch(parts.queue(), Grid.of(ids.elements(), THREADS), ids, table, out, width, table.extent(0));
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out) {
        int width = Math.toIntExact(weight.elements());
        long rows = x.elements() / width;
        int vector = VectorWidth.of(parts.context(), width, x, weight, out);
        int threads = Math.min(MOST_NORM_THREADS, 32 * Math.ceilDiv(width / vector, 32));
        Kernel kernel = parts.kernel(KernelSource.of("rms_norm.cu", "rmsNorm")
                .with("ACT", KernelTypes.name(x.dtype()))
                .with("WEIGHT", KernelTypes.name(weight.dtype()))
                .with("WIDTH", width)
                .with("VECTOR", vector)
                .with("THREADS", threads));
        if (rows > 0) {
            kernel.launchEarly(parts.queue(), Grid.of(rows, threads), x, weight, (float) epsilon, out);
        }
    }

    /// Copies a quantised weight to the device in the order in which the kernels read it.
    ///
    /// @return null if there is no kernel for its format
    public @Nullable Weight placeQuantised(Weight weight, MemoryScope scope) {
        return tiled.place(weight, scope);
    }

    @Override
    public void linear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor out) {
        linears(x, List.of(weight), Collections.singletonList(bias), List.of(out));
    }

    @Override
    public void linears(Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        if (arePlain(weights)) {
            linear.run(x, plain(weights), biases, outs);
        } else if (weights.stream().noneMatch(Tensor.class::isInstance)) {
            tiled.run(x, tiled(weights), biases, outs);
        } else {
            for (int i = 0; i < weights.size(); i++) {
                linear(x, weights.get(i), biases.get(i), outs.get(i));
            }
        }
    }

    @Override
    public void addLinear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        boolean isAdded = weight instanceof Tensor tensor
                ? linear.addTo(x, tensor, bias, scratch, target)
                : tiled.addTo(x, tiled(weight), bias, scratch, target);
        if (!isAdded) {
            linear(x, weight, bias, scratch);
            add(target, scratch);
        }
    }

    @Override
    public void gatedLinear(
            Tensor x, List<? extends Weight> weights, List<@Nullable Tensor> biases, Tensor gate, Tensor up) {
        boolean isGated = arePlain(weights)
                ? linear.runGated(x, plain(weights), biases, gate, up)
                : weights.stream().noneMatch(Tensor.class::isInstance)
                        && tiled.runGated(x, tiled(weights), biases, gate);
        if (!isGated) {
            linears(x, weights, biases, List.of(gate, up));
            gatedSilu(gate, up);
        }
    }

    private static boolean arePlain(List<? extends Weight> weights) {
        return weights.stream().allMatch(Tensor.class::isInstance);
    }

    private static List<Tensor> plain(List<? extends Weight> weights) {
        return weights.stream().<Tensor>map(Tensor.class::cast).toList();
    }

    private static List<TiledWeight> tiled(List<? extends Weight> weights) {
        return weights.stream().map(CudaDense::tiled).toList();
    }

    private static TiledWeight tiled(Weight weight) {
        if (weight instanceof TiledWeight own) {
            return own;
        }
        throw new IllegalArgumentException("weights [" + weight.outputs() + ", " + weight.inputs() + "] "
                + weight.format() + " are in host memory; place them with Backend.placeQuantised, or decode them");
    }

    @Override
    public void argmax(Tensor logits, Tensor ids) {
        int width = logits.extent(-1);
        Kernel kernel = parts.kernel(KernelSource.of("argmax.cu", "argmax")
                .with("ACT", KernelTypes.name(logits.dtype()))
                .with("VECTOR", VectorWidth.of(parts.context(), width, logits)));
        if (ids.elements() > 0) {
            kernel.launchEarly(parts.queue(), Grid.of(ids.elements(), ARGMAX_THREADS), logits, ids, width);
        }
    }

    @Override
    public void fillNormal(Tensor target, long seed, double deviation) {
        int vector = VectorWidth.of(parts.context(), 0, target);
        Kernel kernel = parts.kernel(KernelSource.of("fill_normal.cu", "fillNormal")
                .with("ACT", KernelTypes.name(target.dtype()))
                .with("VECTOR", vector));
        Grid grid = Grid.covering(Math.ceilDiv(target.elements(), vector), THREADS);
        kernel.launch(parts.queue(), grid, target, target.elements(), seed, deviation);
    }

    @Override
    public void add(Tensor target, Tensor source) {
        pointwise("add.cu", "add", target, source);
    }

    @Override
    public void scale(Tensor x, double factor) {
        int vector = VectorWidth.of(parts.context(), 0, x);
        Grid grid = Grid.covering(Math.ceilDiv(x.elements(), vector), THREADS);
        scaling("scale", x, vector).launchEarly(parts.queue(), grid, x, (float) factor, x.elements());
    }

    @Override
    public void scaleRows(Tensor x, Tensor at, Tensor factors) {
        if (x.elements() == 0) {
            return;
        }
        int width = Math.toIntExact(x.elements() / x.extent(0));
        int vector = VectorWidth.of(parts.context(), width, x);
        Grid grid = Grid.covering(x.elements() / vector, THREADS);
        scaling("scaleRows", x, vector).launchEarly(parts.queue(), grid, x, at, factors, width, x.elements());
    }

    private Kernel scaling(String function, Tensor x, int vector) {
        return parts.kernel(KernelSource.of("scale.cu", function)
                .with("ACT", KernelTypes.name(x.dtype()))
                .with("VECTOR", vector));
    }

    @Override
    public void addRows(Tensor target, Tensor at, Tensor source) {
        int width = source.extent(1);
        int vector = VectorWidth.of(parts.context(), width, target, source);
        Kernel kernel = parts.kernel(KernelSource.of("add_rows.cu", "addRows")
                .with("ACT", KernelTypes.name(target.dtype()))
                .with("VECTOR", vector));
        if (source.elements() > 0) {
            Grid grid = Grid.covering(source.elements() / vector, THREADS);
            kernel.launchEarly(parts.queue(), grid, target, at, source, width, source.elements());
        }
    }

    @Override
    public void chooseExperts(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares) {
        Kernel kernel = parts.kernel(KernelSource.of("choose_experts.cu", "chooseExperts")
                .with("EXPERTS", logits.extent(1))
                .with("COUNT", ids.extent(1))
                .with("NORMALISED", isNormalised ? 1 : 0));
        if (logits.elements() > 0) {
            kernel.launchEarly(parts.queue(), Grid.of(logits.extent(0), 32), logits, ids, shares);
        }
    }

    @Override
    public void gatedSilu(Tensor gate, Tensor up) {
        pointwise("gated_silu.cu", "gatedSilu", gate, up);
    }

    private void pointwise(String file, String function, Tensor target, Tensor source) {
        int vector = VectorWidth.of(parts.context(), 0, target, source);
        Kernel kernel = parts.kernel(KernelSource.of(file, function)
                .with("ACT", KernelTypes.name(target.dtype()))
                .with("VECTOR", vector));
        Grid grid = Grid.covering(Math.ceilDiv(target.elements(), vector), THREADS);
        kernel.launchEarly(parts.queue(), grid, target, source, target.elements());
    }

    @Override
    public void rotate(Tensor x, Tensor positions, Rotary rotary) {
        rotate(x, x.slice(0, 0), positions, rotary);
    }

    @Override
    public void rotate(Tensor queries, Tensor keys, Tensor positions, Rotary rotary) {
        int headDim = queries.extent(2);
        int half = rotary.rotaryDim() / 2;
        int run = Integer.lowestOneBit(headDim | (rotary.interleaved() ? 2 * half : half));
        int access = VectorWidth.of(parts.context(), run, queries, keys);
        // Pairs per thread: interleaved pairs fill one access, others two.
        int vector = rotary.interleaved() ? Math.max(1, access / 2) : access;
        Kernel kernel = parts.kernel(KernelSource.of("rotate.cu", "rotate")
                .with("ACT", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", headDim)
                .with("HALF", half)
                .with("INTERLEAVED", rotary.interleaved() ? 1 : 0)
                .with("VECTOR", vector));
        long queryPieces = queries.elements() / headDim * (half / vector);
        long pieces = queryPieces + keys.elements() / headDim * (half / vector);
        if (pieces > 0) {
            kernel.launchEarly(
                    parts.queue(),
                    Grid.covering(pieces, THREADS),
                    queries,
                    keys,
                    positions,
                    rotary.cosines(),
                    rotary.sines(),
                    queryPieces,
                    pieces,
                    queries.extent(1),
                    keys.extent(1));
        }
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        copies.copy(source, target);
    }

    @Override
    public void close() {
        tiled.close();
        linear.close();
        copies.close();
    }
}
