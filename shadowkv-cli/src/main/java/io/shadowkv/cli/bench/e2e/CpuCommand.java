package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.option.ShadowFlags;
import io.shadowkv.cli.option.SourceFlags;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.op.Backend;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `bench cpu`: speed of the CPU backend at short and long texts, in rounds.
@Command(
        name = "cpu",
        description =
                "Measures prompt and answer speed of the CPU backend. In a round each method runs once at each length and"
                        + " batch, so that what else the machine does affects all alike. Prints medians with the"
                        + " lowest and the highest round.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv bench cpu --model needle-32k --context 512,4k",
            "  shadowkv bench cpu --model model-Q8_0.gguf --context 512 --batch 1,8 --method full",
            "  shadowkv bench cpu --random llama-3.1-8b --layers 4 --context 16k --rounds 3 --weights int8"
        })
public final class CpuCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private SourceFlags source;

    @Option(
            names = "--context",
            split = ",",
            defaultValue = "512,4k",
            paramLabel = "TOKENS",
            converter = TokenCount.Converter.class,
            description = "Tokens of a prompt (k is 1,024). Default: ${DEFAULT-VALUE}.")
    private List<TokenCount> contexts;

    @Option(
            names = "--batch",
            split = ",",
            defaultValue = "1",
            paramLabel = "N",
            description = "Sequences that decode together. Default: ${DEFAULT-VALUE}.")
    private List<Integer> batches;

    @Option(
            names = "--method",
            defaultValue = "both",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private E2eCommand.Methods method;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds that count. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--warmup-rounds",
            paramLabel = "N",
            defaultValue = "2",
            description = "Rounds before them, for the JVM's compilers. Default: ${DEFAULT-VALUE}.")
    private int warmupRounds;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "32",
            description = "Tokens that each sequence decodes in a round. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--hit-rate",
            paramLabel = "SHARE",
            description = "shadowkv: use a synthetic selection with this share of resident chunks, 0 to 1."
                    + " Default: the model's own selection.")
    private @Nullable Double hitRate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of prompts and random weights. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private ShadowFlags shadow;

    @Option(names = "--json", description = "Print one line of JSON per method, length and batch.")
    private boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "Append the lines of JSON to this file.")
    private @Nullable Path log;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private CpuCommand() {}

    private Program root() {
        return (Program) spec.root().userObject();
    }

    @Override
    public Integer call() {
        Program root = root();
        List<CpuRounds.Case> cases = cases();
        ModelSource model = source.model(spec, root.models(), seed);
        RunLog runs = log();
        PrintWriter err = spec.commandLine().getErr();
        var watcher = new RunWatcher(err, ProgressLine.style(root.surroundings(), progress), root.cancellation());
        var printer = new CpuPrinter(spec.commandLine().getOut(), json, runs, Machine.here(root.surroundings()));
        try (Backend backend = flags.openCpu();
                var measured = new CpuRounds(model, cases, flags.options(new KvCacheSpec.Full()), backend, watcher)) {
            for (int round = -warmupRounds; round < rounds; round++) {
                measured.run(round, round >= 0);
            }
            printer.print(measured);
            return 0;
        } catch (CancellationException e) {
            err.println("shadowkv: interrupted; nothing was measured to its end");
            return 1;
        }
    }

    private RunLog log() {
        try {
            return new RunLog(log);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    /// Every method at every length and batch, the methods next to each other.
    private List<CpuRounds.Case> cases() {
        if (rounds < 1 || warmupRounds < 0) {
            throw misuse("--rounds is " + rounds + " and --warmup-rounds is " + warmupRounds
                    + "; expected 1 or more, and 0 or more");
        }
        if (new HashSet<>(batches).size() < batches.size() || batches.stream().anyMatch(batch -> batch < 1)) {
            throw misuse("--batch is " + batches + "; expected different numbers from 1");
        }
        KvCacheSpec.Shadow strategy = shadow.spec(spec);
        List<Integer> lengths = contexts.stream().map(TokenCount::tokens).toList();
        List<CpuRounds.Case> cases = new ArrayList<>();
        for (int tokens : lengths) {
            for (int batch : batches) {
                for (KvCacheSpec each : List.of(new KvCacheSpec.Full(), strategy)) {
                    if (method == E2eCommand.Methods.both || method.name().equals(each.name())) {
                        cases.add(new CpuRounds.Case(each, options(lengths, tokens, batch)));
                    }
                }
            }
        }
        return cases;
    }

    /// @param lengths all of them, which are checked
    private E2eOptions options(List<Integer> lengths, int tokens, int batch) {
        try {
            return new E2eOptions(
                            lengths,
                            method != E2eCommand.Methods.shadowkv,
                            method != E2eCommand.Methods.full,
                            new BatchSize(batch),
                            2,
                            steps,
                            0,
                            true,
                            hitRate == null ? OptionalDouble.empty() : OptionalDouble.of(hitRate),
                            seed)
                    .at(tokens);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
