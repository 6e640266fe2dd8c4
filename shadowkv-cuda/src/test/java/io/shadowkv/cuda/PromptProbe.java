package io.shadowkv.cuda;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.LaunchTimer;
import io.shadowkv.cuda.linear.CudaDense;
import io.shadowkv.cuda.linear.MatrixProduct;
import io.shadowkv.cuda.linear.MatrixProducts;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Times a layer of Llama-3.1-8B outside attention for the prefill rows of a prompt: each operation
/// alone, all operations one after the other for a while (power limits the speed then), and
/// alternatives that are not used.
public final class PromptProbe {
    private static final int ROWS = 8192;
    private static final int HIDDEN = 4096;
    private static final int INTERMEDIATE = 14336;
    private static final int HEADS = 32;
    private static final int KV_HEADS = 8;
    private static final int HEAD_DIM = 128;
    private static final int KV_WIDTH = KV_HEADS * HEAD_DIM;
    private static final int LAYERS = 32;
    private static final int MANY_CANDIDATES = 32;

    private final CudaParts parts;
    private final CudaDense dense;

    public PromptProbe(CudaParts parts, CudaDense dense) {
        this.parts = parts;
        this.dense = dense;
    }

    public void run() {
        try (MemoryScope scope = parts.newScope().apply("prefill rows");
                LaunchTimer timer = new LaunchTimer(parts, parts.queue())) {
            Map<String, Runnable> operations = operations(scope);
            double total = 0;
            for (Map.Entry<String, Runnable> operation : operations.entrySet()) {
                operation.getValue().run();
                float time = timer.milliseconds(operation.getValue());
                total += time;
                System.out.printf("%d rows, %s: %.1f us%n", ROWS, operation.getKey(), 1e3 * time);
            }
            parts.queue().synchronize();
            long start = System.nanoTime();
            for (int layer = 0; layer < LAYERS; layer++) {
                operations.values().forEach(Runnable::run);
            }
            parts.queue().synchronize();
            double each = (System.nanoTime() - start) / 1e6 / LAYERS;
            double flop = 2.0 * ROWS * HIDDEN * (2.0 * HIDDEN + 2 * KV_WIDTH + 3.0 * INTERMEDIATE);
            System.out.printf(
                    "%d rows, a layer: %.2f ms by its parts, %.2f ms in a row, %.0f TFLOP/s%n",
                    ROWS, total, each, flop / each / 1e9);
            for (int candidates : new int[] {8, MANY_CANDIDATES}) {
                var products = new MatrixProducts(parts, candidates);
                for (int outputs :
                        new int[] {HIDDEN, KV_WIDTH, HIDDEN + 2 * KV_WIDTH, INTERMEDIATE, 2 * INTERMEDIATE}) {
                    product(timer, products, candidates, HIDDEN, outputs);
                }
                product(timer, products, candidates, INTERMEDIATE, HIDDEN);
                products.close();
            }
        }
    }

    private Map<String, Runnable> operations(MemoryScope scope) {
        Tensor norm = normal(scope, 1, HIDDEN);
        double deviation = 1 / Math.sqrt(HIDDEN);
        List<Tensor> queryKeyValue = List.of(
                normal(scope, deviation, HIDDEN, HIDDEN),
                normal(scope, deviation, KV_WIDTH, HIDDEN),
                normal(scope, deviation, KV_WIDTH, HIDDEN));
        Tensor output = normal(scope, deviation, HIDDEN, HIDDEN);
        List<Tensor> gateUp =
                List.of(normal(scope, deviation, INTERMEDIATE, HIDDEN), normal(scope, deviation, INTERMEDIATE, HIDDEN));
        Tensor down = normal(scope, 1 / Math.sqrt(INTERMEDIATE), HIDDEN, INTERMEDIATE);
        Tensor hidden = normal(scope, 1, ROWS, HIDDEN);
        Tensor normed = normal(scope, 1, ROWS, HIDDEN);
        Tensor queries = scope.allocate(DType.BF16, ROWS, HIDDEN);
        Tensor keys = scope.allocate(DType.BF16, ROWS, KV_WIDTH);
        Tensor values = scope.allocate(DType.BF16, ROWS, KV_WIDTH);
        Tensor gate = normal(scope, 1, ROWS, INTERMEDIATE);
        Tensor up = normal(scope, 1, ROWS, INTERMEDIATE);
        Tensor positions = scope.allocate(DType.I32, ROWS);
        parts.queue().zero(parts.context().address(positions), positions.byteSize());
        var rotary = new Rotary(
                normal(scope, DType.F32, 1, 1, HEAD_DIM / 2),
                normal(scope, DType.F32, 1, 1, HEAD_DIM / 2),
                HEAD_DIM,
                false,
                1);
        Map<String, Runnable> operations = new LinkedHashMap<>();
        operations.put("norm", () -> dense.rmsNorm(hidden, norm, 1e-5, normed));
        operations.put(
                "q, k, v",
                () -> dense.linears(
                        normed, queryKeyValue, Collections.nCopies(3, null), List.of(queries, keys, values)));
        operations.put(
                "rotate",
                () -> dense.rotate(
                        queries.reshape(ROWS, HEADS, HEAD_DIM),
                        keys.reshape(ROWS, KV_HEADS, HEAD_DIM),
                        positions,
                        rotary));
        operations.put("o", () -> dense.addLinear(queries, output, null, normed, hidden));
        operations.put("norm again", () -> dense.rmsNorm(hidden, norm, 1e-5, normed));
        operations.put(
                "gate, up", () -> dense.linears(normed, gateUp, Collections.nCopies(2, null), List.of(gate, up)));
        operations.put("silu", () -> dense.gatedSilu(gate, up));
        operations.put("down", () -> dense.addLinear(gate, down, null, normed, hidden));
        return operations;
    }

    private void product(LaunchTimer timer, MatrixProducts products, int candidates, int inputs, int outputs) {
        try (MemoryScope scope = parts.newScope().apply("a product")) {
            Tensor x = normal(scope, 1, ROWS, inputs);
            Tensor weight = normal(scope, 1 / Math.sqrt(inputs), outputs, inputs);
            Tensor out = scope.allocate(DType.BF16, ROWS, outputs);
            MatrixProduct product = MatrixProduct.linear(parts.context(), x, weight, null, false, out);
            if (product == null || !products.run(product, weight, x, null, out, out)) {
                throw new IllegalStateException("cuBLASLt cannot multiply these");
            }
            float time = timer.milliseconds(() -> products.run(product, weight, x, null, out, out));
            System.out.printf(
                    "%d rows of %d by %d, best of %d algorithms: %.1f us, %.0f TFLOP/s%n",
                    ROWS, inputs, outputs, candidates, 1e3 * time, 2.0 * ROWS * inputs * outputs / time / 1e9);
        }
    }

    private Tensor normal(MemoryScope scope, double deviation, int... extents) {
        return normal(scope, DType.BF16, deviation, extents);
    }

    private Tensor normal(MemoryScope scope, DType type, double deviation, int... extents) {
        Tensor tensor = scope.allocate(type, extents);
        dense.fillNormal(tensor, Arrays.hashCode(extents), deviation);
        return tensor;
    }
}
