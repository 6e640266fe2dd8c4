package io.shadowkv.bench;

import com.sun.management.OperatingSystemMXBean;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cpu.CpuBackendProvider;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.RunningText;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/// From which length sparse prefill pays: reads each prompt exactly and sparsely in turns, the order
/// changing from round to round, and compares processor times, which other work on the machine affects
/// less than the clock. Prints ratios and appends JSON lines.
///
/// Arguments: the model's folder, the file for the lines (`-` for none), the number of rounds, lengths.
public final class PrefillLengths {
    private static final int WARM_ROUNDS = 3;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final Engine exact;
    private final Engine sparse;

    private PrefillLengths(Engine exact, Engine sparse) {
        this.exact = exact;
        this.sparse = sparse;
    }

    public static void main(String[] arguments) throws IOException {
        Path model = Path.of(arguments[0]);
        var log = new BenchmarkLog(arguments[1].equals("-") ? null : Path.of(arguments[1]));
        int rounds = Integer.parseInt(arguments[2]);
        int threads = Runtime.getRuntime().availableProcessors();
        PrefillSpec blocks = PrefillSpec.Blocks.DEFAULT.withMinTokens(1);
        try (Backend backend = new CpuBackendProvider().open(new BackendOptions(threads, 0));
                Engine exact = Engine.open(model, backend, EngineOptions.DEFAULT);
                Engine sparse = Engine.open(model, backend, EngineOptions.DEFAULT.withPrefill(blocks))) {
            var lengths = new PrefillLengths(exact, sparse);
            for (int i = 3; i < arguments.length; i++) {
                lengths.measure(Integer.parseInt(arguments[i]), rounds, threads, log);
            }
        }
    }

    private void measure(int tokens, int rounds, int threads, BenchmarkLog log) throws IOException {
        var sampler = new NeedleSampler(PromptFormat.of(exact), RunningText.kingJames(), WordList.bundled());
        double[] ratios = new double[rounds];
        double density = 0;
        for (int round = -WARM_ROUNDS; round < rounds; round++) {
            Sample.Turn asked = sampler.sample(
                            NeedleTask.named("niah_multikey_1"),
                            1,
                            round + WARM_ROUNDS,
                            new NeedleSampler.Size(tokens, 0, 2))
                    .sample()
                    .turns()
                    .getFirst();
            int[] ids = PromptFormat.of(exact).first(asked.user(), asked.answerPrefix());
            boolean isExactFirst = round % 2 == 0;
            double first = seconds(isExactFirst ? exact : sparse, ids);
            double second = seconds(isExactFirst ? sparse : exact, ids);
            if (round >= 0) {
                ratios[round] = isExactFirst ? first / second : second / first;
                density += sparse.complete(request(ids)).prefillDensity() / rounds;
            }
        }
        Arrays.sort(ratios);
        double median = ratios[rounds / 2];
        double lower = ratios[rounds / 4];
        double upper = ratios[rounds * 3 / 4];
        log.append(
                "PREFILL_BLOCKS_" + tokens,
                threads,
                0,
                String.format(
                        Locale.ROOT,
                        "%.2f times as fast as exact (quartiles %.2f to %.2f), density %.2f",
                        median,
                        lower,
                        upper,
                        density),
                String.format(
                        Locale.ROOT,
                        "\"unit\":\"times exact\",\"tokens\":%d,\"rounds\":%d,\"median\":%.3f,\"lowerQuartile\":%.3f,\"upperQuartile\":%.3f,\"density\":%.3f",
                        tokens,
                        rounds,
                        median,
                        lower,
                        upper,
                        density));
    }

    /// Processor time of the whole process.
    private double seconds(Engine engine, int[] ids) {
        long start = system.getProcessCpuTime();
        engine.complete(request(ids));
        return (system.getProcessCpuTime() - start) / 1e9;
    }

    private static Request request(int[] ids) {
        return Request.of(ids, GenerationOptions.DEFAULT.withMaxNewTokens(1).withIgnoreEos(true));
    }
}
