package io.shadowkv.cpu.linear;

import com.sun.management.ThreadMXBean;
import io.shadowkv.cpu.CpuBackendProvider;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.testing.RandomBlocks;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Prints how many bytes of the heap a product with each format allocates, once it is compiled. All
/// formats run in turns.
///
/// Arguments: bits of a vector (0: the widest), rows of x, products before the measurement, and formats in the order in
/// which they
/// run first.
final class ProductAllocationsMain {
    static final int INPUTS = 2048;
    static final int OUTPUTS = 64;
    private static final int MEASURED = 10;

    private ProductAllocationsMain() {}

    public static void main(String[] arguments) {
        int rows = Integer.parseInt(arguments[1]);
        int before = Integer.parseInt(arguments[2]);
        List<Weight> weights = new ArrayList<>();
        var random = new SplittableRandom(1);
        for (int i = 3; i < arguments.length; i++) {
            weights.add(RandomBlocks.of(random, BlockFormat.valueOf(arguments[i]), OUTPUTS, INPUTS, 0));
        }
        var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] least = new long[weights.size()];
        Arrays.fill(least, Long.MAX_VALUE);
        try (Backend backend = new CpuBackendProvider().open(new BackendOptions(1, Integer.parseInt(arguments[0])))) {
            Tensor x = floats(rows, INPUTS);
            Tensor out = floats(rows, OUTPUTS);
            for (int product = 0; product < before + MEASURED; product++) {
                for (int i = 0; i < least.length; i++) {
                    long start = bean.getTotalThreadAllocatedBytes();
                    backend.operations().dense().linear(x, weights.get(i), null, out);
                    long bytes = bean.getTotalThreadAllocatedBytes() - start;
                    if (product >= before) {
                        least[i] = Math.min(least[i], bytes);
                    }
                }
            }
        }
        for (int i = 0; i < least.length; i++) {
            System.out.println(arguments[i + 3] + " " + least[i]);
        }
    }

    private static Tensor floats(int rows, int columns) {
        return Tensor.of(
                DType.F32, Shape.of(rows, columns), Arena.ofAuto().allocate((long) rows * columns * Float.BYTES, 64));
    }
}
