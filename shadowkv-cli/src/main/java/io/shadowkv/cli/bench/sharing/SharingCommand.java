package io.shadowkv.cli.bench.sharing;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.ModelSource;
import io.shadowkv.cli.option.ReadingFlags;
import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.option.ShadowFlags;
import io.shadowkv.cli.option.SourceFlags;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `bench sharing`: what callers of one engine cost each other.
@Command(
        name = "sharing",
        description =
                "Measures an engine that many callers share: questions about a document that was read once, a batch"
                        + " that decodes while another prompt is read, drawn tokens against the most likely ones,"
                        + " and a batch of short and long contexts.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv bench sharing --model needle-32k --context 16k --batch 4",
            "  shadowkv bench sharing --random llama-3.1-8b --context 122k --batch 20 --hit-rate 0.6"
        })
public final class SharingCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private SourceFlags source;

    @Option(
            names = "--context",
            required = true,
            paramLabel = "TOKENS",
            converter = TokenCount.Converter.class,
            description = "Tokens of the document, such as 122k (k is 1,024).")
    private TokenCount context;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "20",
            description = "Questions that are answered together. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens of each answer. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(
            names = "--question",
            paramLabel = "TOKENS",
            defaultValue = "64",
            description = "Tokens of a short question. Default: ${DEFAULT-VALUE}.")
    private int question;

    @Option(
            names = "--turn",
            paramLabel = "TOKENS",
            defaultValue = "2000",
            description = "Tokens of a long question. Default: ${DEFAULT-VALUE}.")
    private int turn;

    @Option(
            names = "--hit-rate",
            paramLabel = "SHARE",
            description = "Force a synthetic selection of which this share is resident, 0 to 1."
                    + " Default: the model's own selection.")
    private @Nullable Double hitRate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of prompts and random weights. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--save",
            paramLabel = "DIR",
            description = "Save the document in this folder and open it again; the file is deleted afterwards.")
    private @Nullable Path saveFolder;

    @Option(names = "--full", description = "Measure full attention instead of ShadowKV.")
    private boolean full;

    @Mixin
    private ReadingFlags reading;

    @Mixin
    private ShadowFlags shadow;

    @Option(names = "--out", paramLabel = "FILE", description = "Append a line of JSON to this file.")
    private @Nullable Path log;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private SharingCommand() {}

    private Program root() {
        return (Program) spec.root().userObject();
    }

    @Override
    public Integer call() {
        if (batch < 1
                || steps < 8
                || question < 1
                || turn < 1
                || (hitRate != null && !(hitRate >= 0 && hitRate <= 1))) {
            throw new ParameterException(
                    spec.commandLine(),
                    "batch " + batch + ", steps " + steps + ", question " + question + ", turn " + turn
                            + ", hit rate " + hitRate
                            + "; expected a batch, a question and a turn of 1 or more, 8 or more steps, and"
                            + " a hit rate of 0 to 1");
        }
        KvCacheSpec strategy = full ? new KvCacheSpec.Full() : shadow.spec(spec);
        EngineOptions options = CacheFlags.checked(
                spec, () -> reading.options(flags.options(strategy)).withMaxBatch(batch + 1));
        ModelSource model = source.model(spec, root().models(), seed);
        RunLog runs = new RunLog(log);
        PrintWriter out = spec.commandLine().getOut();
        Backends.Choice choice = flags.openBackend(spec.commandLine().getErr());
        try (var backend = choice.backend();
                Engine engine = model.open(backend, options)) {
            var measurement = new SharingMeasurement(
                    engine, context.tokens(), batch, steps, question, turn, seed, root().cancellation());
            SharingResult result = measurement.run(hitRate == null ? Double.NaN : hitRate, saveFolder);
            result.print(out);
            runs.append(result.json(model.name(), engine, Machine.here(root().surroundings()), hitRate));
            return 0;
        }
    }
}
