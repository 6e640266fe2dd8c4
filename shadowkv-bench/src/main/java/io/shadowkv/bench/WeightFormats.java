package io.shadowkv.bench;

import static java.util.Objects.requireNonNull;

import io.shadowkv.cpu.CpuBackendProvider;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/// Compares products with quantised weights to the same product with bf16 weights, in turns, so that
/// what else the machine does hits all alike. Prints ratios and appends JSON lines.
///
/// Arguments: the file for the lines (`-` for none), the number of rounds (21 if none is given), and a
/// seed for the order of the formats (0, the order of [BlockFormat], if none is given): a compiler's
/// choices in one JVM can depend on what ran before, so a fault may show in one order only.
public final class WeightFormats {
    private static final int INPUTS = 4096;
    private static final int WARM_ROUNDS = 20;

    /// A product: rows of x, outputs, and repetitions in a round.
    private record Product(int rows, int outputs, int repetitions) {}

    /// What all products of one run share.
    ///
    /// @param seed of the order of the formats; 0 for the usual one
    private record Run(int rounds, long seed, Backend backend, int threads, BenchmarkLog log) {
        List<BlockFormat> formats() {
            List<BlockFormat> formats = new ArrayList<>(List.of(BlockFormat.values()));
            if (seed != 0) {
                Collections.shuffle(formats, new Random(seed));
            }
            return formats;
        }
    }

    private WeightFormats() {}

    public static void main(String[] arguments) throws IOException {
        String file = arguments.length == 0 ? "-" : arguments[0];
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 21;
        long seed = arguments.length > 2 ? Long.parseLong(arguments[2]) : 0;
        var log = new BenchmarkLog(file.equals("-") ? null : Path.of(file));
        int threads = Runtime.getRuntime().availableProcessors();
        try (Backend backend = new CpuBackendProvider().open(new BackendOptions(threads, 0))) {
            System.out.println(backend.description());
            for (Product product :
                    new Product[] {new Product(1, 14_336, 4), new Product(8, 4096, 2), new Product(256, 2048, 1)}) {
                measure(product, new Run(rounds, seed, backend, threads, log));
            }
        }
    }

    private static void measure(Product product, Run run) throws IOException {
        Backend backend = run.backend();
        int rounds = run.rounds();
        try (MemoryScope scope = backend.newScope("weights");
                Arena arena = Arena.ofShared()) {
            var operands = new Operands(backend, scope);
            Tensor x = operands.random(DType.F32, product.rows(), INPUTS);
            Tensor out = operands.zeros(DType.F32, product.rows(), product.outputs());
            Map<String, Weight> weights = new LinkedHashMap<>();
            weights.put("BF16", operands.random(DType.BF16, product.outputs(), INPUTS));
            for (BlockFormat format : run.formats()) {
                weights.put(format.name(), blocks(format, product.outputs(), arena));
            }
            Map<String, double[]> millis = new LinkedHashMap<>();
            weights.keySet().forEach(name -> millis.put(name, new double[rounds]));
            for (int round = -WARM_ROUNDS; round < rounds; round++) {
                for (Map.Entry<String, Weight> weight : weights.entrySet()) {
                    long start = System.nanoTime();
                    for (int i = 0; i < product.repetitions(); i++) {
                        backend.operations().dense().linear(x, weight.getValue(), null, out);
                    }
                    if (round >= 0) {
                        double each = (System.nanoTime() - start) / 1e6 / product.repetitions();
                        requireNonNull(millis.get(weight.getKey()))[round] = each;
                    }
                }
            }
            for (String name : weights.keySet()) {
                report(name, product, millis, run);
            }
        }
    }

    /// How many times as fast as bf16 in the same round: median and quartiles.
    private static void report(String name, Product product, Map<String, double[]> millis, Run run) throws IOException {
        double[] own = requireNonNull(millis.get(name));
        double[] plain = requireNonNull(millis.get("BF16"));
        double[] ratios = new double[own.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = plain[i] / own[i];
        }
        Arrays.sort(ratios);
        double[] times = own.clone();
        Arrays.sort(times);
        double median = ratios[ratios.length / 2];
        double lower = ratios[ratios.length / 4];
        double upper = ratios[ratios.length * 3 / 4];
        run.log()
                .append(
                        "WEIGHTS_" + name + "_ROWS_" + product.rows(),
                        run.threads(),
                        0,
                        String.format(
                                Locale.ROOT,
                                "%9.3f ms, %.2f times as fast as bf16 (quartiles %.2f to %.2f)",
                                times[times.length / 2],
                                median,
                                lower,
                                upper),
                        String.format(
                                Locale.ROOT,
                                "\"unit\":\"times bf16\",\"orderSeed\":%d,\"inputs\":%d,\"outputs\":%d,\"rounds\":%d,\"millis\":%.4f,\"median\":%.3f,\"lowerQuartile\":%.3f,\"upperQuartile\":%.3f",
                                run.seed(),
                                INPUTS,
                                product.outputs(),
                                ratios.length,
                                times[times.length / 2],
                                median,
                                lower,
                                upper));
    }

    /// Random codes; scales that keep all numbers finite.
    private static Weight blocks(BlockFormat format, int outputs, Arena arena) {
        int bytes = Math.toIntExact(outputs * format.rowBytes(INPUTS));
        byte[] codes = new byte[bytes];
        new SplittableRandom(Operands.SEED).nextBytes(codes);
        MemorySegment segment = arena.allocate(bytes, 64);
        segment.copyFrom(MemorySegment.ofArray(codes));
        short scale = Float.floatToFloat16(0.01f);
        for (long at = 0; at < bytes; at += format.bytes()) {
            long place = format == BlockFormat.Q6_K ? at + format.bytes() - Short.BYTES : at;
            segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, place, scale);
            if (format == BlockFormat.Q4_K || format == BlockFormat.Q5_K) {
                segment.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + Short.BYTES, scale);
            }
        }
        return new BlockWeight(format, outputs, INPUTS, new HostMemory(segment), 0);
    }
}
