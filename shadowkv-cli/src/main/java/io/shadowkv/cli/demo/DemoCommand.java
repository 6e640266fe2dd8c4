package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.option.ReportFile;
import io.shadowkv.cli.option.ShadowShapeFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.UserCache;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `demo`: asks the same questions about the same long text with full attention and with ShadowKV.
@Command(
        name = "demo",
        description =
                "Reads a long text twice, with full attention and with ShadowKV, asks questions about it and compares"
                        + " answers, memory and speed. Writes an HTML report into the user's cache folder.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv demo                         16,384 tokens, under a minute on two cores",
            "  shadowkv demo --tokens 32768          the bundled model's whole context",
            "  shadowkv demo --budget 256 --rank 32  a smaller budget and rank",
            "  shadowkv demo --report demo.html      write the report to this folder"
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int SHORTEST = 2048;
    private static final int MOST_QUESTIONS = 16;

    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            defaultValue = "needle-32k",
            description = "A bundled"
                    + " model, a folder, a GGUF file, or ORG/NAME of a pulled model. Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "16384",
            description = "Tokens of text, questions and answers. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(
            names = "--questions",
            paramLabel = "N",
            defaultValue = "6",
            description = "Number of questions about the text. Default: ${DEFAULT-VALUE}.")
    private int questions;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the needles and their places. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--rank",
            paramLabel = "N",
            defaultValue = "64",
            description = "ShadowKV: columns kept of the key factorisation. Default: ${DEFAULT-VALUE}.")
    private int rank;

    @Option(
            names = "--budget",
            paramLabel = "TOKENS",
            description = "ShadowKV: tokens selected per step and key-value head. Default: a sixteenth of --tokens.")
    private @Nullable Integer budget;

    @Mixin
    private ShadowShapeFlags shape;

    @Option(
            names = "--sweep",
            split = ",",
            paramLabel = "TOKENS",
            description = "Further lengths to measure decode speed at. Default: 2048 and its doublings below --tokens.")
    private @Nullable List<Integer> sweep;

    @Option(names = "--no-sweep", description = "Measure decode speed at --tokens only.")
    private boolean noSweep;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "File of the report. Default: shadowkv/demo.html in the user's cache folder.")
    private @Nullable Path report;

    @Option(names = "--json", description = "Print the results as one JSON object instead of tables.")
    private boolean json;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private DemoCommand() {}

    @Override
    public Integer call() throws IOException {
        DemoRun.Options options = options();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Optional<ReportFile> file = reportFile(err);
        try (ReportFile _ = file.orElse(null)) {
            DemoResult result = new DemoRun(options, flags, root.surroundings(), err, root.cancellation()).run();
            print(result, out);
            if (file.isPresent()) {
                file.get().write(DemoReport.html(result));
                print(file.get().path(), out);
            }
            return 0;
        } catch (CancellationException e) {
            err.println("shadowkv: interrupted; no report was written");
            return 1;
        }
    }

    /// Opens the file of the report before the work begins. If the user gave a path that cannot be
    /// written, that is a usage error; if the default path cannot be written, the demo runs without
    /// a report.
    private Optional<ReportFile> reportFile(PrintWriter err) {
        Path file =
                report != null ? report : UserCache.folder(root.surroundings()).resolve("demo.html");
        try {
            return Optional.of(ReportFile.open(file));
        } catch (IllegalArgumentException e) {
            if (report != null) {
                throw misuse("--report is " + report + "; " + e.getMessage() + ". Give a file in another folder");
            }
            err.println("the report cannot be written: " + e.getMessage() + ". Choose another file with --report FILE");
            err.flush();
            return Optional.empty();
        }
    }

    private void print(DemoResult result, PrintWriter out) {
        if (json) {
            out.println(DemoJson.of(result).toPrettyString());
        } else {
            DemoTable.print(result, out);
        }
        out.flush();
    }

    private void print(Path file, PrintWriter out) {
        if (!json) {
            out.println();
            out.println("report: " + file);
            out.flush();
        }
    }

    private DemoRun.Options options() {
        if (tokens < SHORTEST) {
            throw misuse(String.format(
                    "--tokens is %,d; expected at least %,d, so that ShadowKV selects from the text",
                    tokens, SHORTEST));
        }
        if (questions < 1 || questions > MOST_QUESTIONS) {
            throw misuse("--questions is " + questions + "; expected 1 to " + MOST_QUESTIONS);
        }
        return new DemoRun.Options(
                model,
                root.models().resolve(model),
                tokens,
                questions,
                seed,
                shadow(),
                prefill.spec(),
                lengths(),
                ProgressLine.style(root.surroundings(), progress));
    }

    private KvCacheSpec.Shadow shadow() {
        int unit = shape.unitTokens(spec);
        int selected = budget == null ? Math.max(unit, tokens / 16 / unit * unit) : budget;
        return shape.spec(spec, rank, selected);
    }

    private List<Integer> lengths() {
        if (noSweep) {
            return List.of();
        }
        if (sweep != null) {
            for (int length : sweep) {
                if (length < 512 || length > tokens) {
                    throw misuse(
                            String.format("--sweep has %,d tokens; expected 512 to --tokens, %,d", length, tokens));
                }
            }
            return sweep;
        }
        List<Integer> lengths = new ArrayList<>();
        for (int length = SHORTEST; length < tokens; length *= 2) {
            lengths.add(length);
        }
        return lengths;
    }

    private ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
