package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.option.ShadowFlags;
import io.shadowkv.cli.option.SourceFlags;
import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `bench e2e`: compares prefill and decode of a whole batch with full attention and with ShadowKV.
@Command(
        name = "e2e",
        description =
                "Reads prompts, decodes a batch and prints the paper's efficiency table: time to first token, time"
                        + " of a step and of its parts, tokens per second, hit rate, bytes moved and their share of"
                        + " the measured ceiling, memory planned and measured.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv bench e2e --model needle-32k --context 16k --batch 2",
            "  shadowkv bench e2e --random llama-3.1-8b --context 60k,122k --clone-prefill --hit-rate 0.6",
            "  shadowkv bench e2e --random llama-3-8b-1m --context 122k --prefill blocks --prefill-density 0.09",
            "  shadowkv bench e2e --random yi-9b --layers 2 --context 4k --batch 1 --method full",
            "  shadowkv bench e2e --model ORG/NAME --context 122k --out docs/bench/e2e.jsonl"
        })
public final class E2eCommand implements Callable<Integer> {
    /// The methods to measure.
    enum Methods {
        both,
        full,
        shadowkv
    }

    @Spec
    private CommandSpec spec;

    @Mixin
    private SourceFlags source;

    @Option(
            names = "--context",
            split = ",",
            required = true,
            paramLabel = "TOKENS",
            converter = TokenCount.Converter.class,
            description = "Tokens of each prompt, such as 60k,122k (k is 1,024); one table per length.")
    private List<TokenCount> contexts;

    @Option(
            names = "--method",
            defaultValue = "both",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Methods method;

    @Option(
            names = "--batch",
            paramLabel = "N|max",
            defaultValue = "max",
            converter = BatchSize.Converter.class,
            description = "Sequences that decode together; max means as many as the memory plan admits."
                    + " Default: ${DEFAULT-VALUE}.")
    private BatchSize batch;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "32",
            description = "Steps to time. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--warmup",
            paramLabel = "N",
            defaultValue = "4",
            description = "Steps before the timed ones. Default: ${DEFAULT-VALUE}.")
    private int warmup;

    @Option(
            names = "--profiled-steps",
            paramLabel = "N",
            defaultValue = "4",
            description = "Additional steps whose parts are timed one by one. Default: ${DEFAULT-VALUE}.")
    private int profiled;

    @Option(
            names = "--clone-prefill",
            description = "Read one prompt and copy it into every slot; the queries of the slots differ.")
    private boolean clonesPrefill;

    @Option(
            names = "--hit-rate",
            paramLabel = "SHARE",
            description = "shadowkv: use a synthetic selection with this share of resident chunks, 0 to 1, to compare"
                    + " machines. Default: the model's own selection.")
    private @Nullable Double hitRate;

    @Option(
            names = "--prefill-density",
            paramLabel = "SHARE",
            description = "--prefill blocks: use a synthetic selection that keeps this share of the key blocks, to"
                    + " compare machines; random weights have no structure that a selection could find. Default: the"
                    + " model's own selection.")
    private @Nullable Double density;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of prompts and random weights. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private ShadowFlags shadow;

    @Option(names = "--json", description = "Print one JSON object instead of tables.")
    private boolean json;

    @Option(names = "--out", paramLabel = "FILE", description = "Append one line of JSON per run to this file.")
    private @Nullable Path log;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private E2eCommand() {}

    private Program root() {
        return (Program) spec.root().userObject();
    }

    @Override
    public Integer call() {
        Program root = root();
        E2eOptions options = misuseOf(this::options);
        KvCacheSpec.Shadow strategy = shadow.spec(spec);
        EngineOptions engine = flags.options(strategy).withPrefill(prefill());
        ModelSource model = source.model(spec, root.models(), seed);
        RunLog runs = misuseOf(() -> new RunLog(log));
        PrintWriter err = spec.commandLine().getErr();
        var style = ProgressLine.style(root.surroundings(), progress);
        var printer = new E2ePrinter(spec.commandLine().getOut(), json, runs, Machine.here(root.surroundings()));
        var watcher = new RunWatcher(err, style, root.cancellation());
        Backends.Choice choice = flags.openBackend(err);
        try (var backend = choice.backend()) {
            new E2eRun(options, model, strategy, engine, backend, watcher).run(printer);
            return printer.failures().isEmpty() ? 0 : Failures.FAILURE;
        } catch (CancellationException e) {
            err.println("shadowkv: interrupted; the results of finished runs are kept");
            return 1;
        } finally {
            printer.end();
            printer.failures().forEach(failure -> say(failure, err));
        }
    }

    private PrefillSpec prefill() {
        PrefillSpec chosen = prefill.spec();
        Double share = density;
        if (share == null) {
            return chosen;
        }
        if (!(chosen instanceof PrefillSpec.Blocks blocks)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--prefill-density is given without --prefill blocks, which it belongs to; leave it out or add the"
                            + " kind");
        }
        return misuseOf(() -> blocks.withForcedShare(share));
    }

    private void say(E2eFailure failure, PrintWriter err) {
        err.println("shadowkv: " + failure.sentence());
        if (root().isDebug()) {
            failure.cause().printStackTrace(err);
        }
    }

    private E2eOptions options() {
        return new E2eOptions(
                contexts.stream().map(TokenCount::tokens).toList(),
                method != Methods.shadowkv,
                method != Methods.full,
                batch,
                warmup,
                steps,
                profiled,
                clonesPrefill,
                hitRate == null ? OptionalDouble.empty() : OptionalDouble.of(hitRate),
                seed);
    }

    private <T> T misuseOf(Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }
}
