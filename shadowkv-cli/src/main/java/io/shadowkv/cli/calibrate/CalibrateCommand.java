package io.shadowkv.cli.calibrate;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.option.ReportFile;
import io.shadowkv.cli.option.ShadowFlags;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TextSource;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.study.Calibration;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.RunningText;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalDouble;
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

/// `calibrate`: proposes budgets of the first layers from what each layer's selection holds.
@Command(
        name = "calibrate",
        description = {
            "Measures the share of full attention that each layer's selection holds on a text, and proposes"
                    + " --layer-budgets.",
            "Nothing is trained. The text is read with full attention; its last tokens are decoded, and the index ranks"
                    + " its units for each of them."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv calibrate needle-32k --index codes --budget 256",
            "  shadowkv calibrate ./model --file book.txt --tokens 64k --mass 0.8",
            "  shadowkv calibrate ./model --index codes --kl 0.01 --json"
        })
public final class CalibrateCommand implements Callable<Integer> {
    /// Tokens for an answer of seven digits in any tokenizer, with a margin.
    private static final int ANSWER_TOKENS = 24;

    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description =
                    "The text, UTF-8; - is standard input. Default: a bundled text with hidden numbers, a question"
                            + " about one of them, and the answer.")
    private @Nullable Path file;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "16k",
            converter = TokenCount.Converter.class,
            description = "Maximum number of tokens of the text. Default: ${DEFAULT-VALUE}.")
    private TokenCount tokens;

    @Option(
            names = "--positions",
            paramLabel = "N",
            defaultValue = "64",
            description = "Number of last tokens whose attention is measured. Default: ${DEFAULT-VALUE}.")
    private int positions;

    @Option(
            names = "--mass",
            paramLabel = "SHARE",
            description = "Propose budgets with which every layer holds this share of attention, above 0, up to 1."
                    + " Default: three quarters of what the median layer holds.")
    private @Nullable Double mass;

    @Option(
            names = "--kl",
            paramLabel = "NATS",
            description = "Propose budgets with which the next-token distributions diverge from those of full attention"
                    + " by at most this, on average over the positions.")
    private @Nullable Double kl;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the bundled text. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Mixin
    private ShadowFlags shadow;

    @Option(names = "--json", description = "Print the results as one JSON object instead of a table.")
    private boolean json;

    @Option(
            names = "--out",
            paramLabel = "FILE.json",
            description = "Also write the JSON object to this file, which appears complete or not at all.")
    private @Nullable Path outFile;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private CalibrateCommand() {}

    @Override
    public Integer call() throws IOException {
        KvCacheSpec.Shadow selected = shadow.spec(spec);
        Calibration.Goal goal = goal();
        check(selected);
        PrintWriter err = spec.commandLine().getErr();
        Path folder = root.models().resolve(model);
        try (ReportFile report = outFile == null ? null : ReportFile.open(outFile);
                OpenModel open = OpenModel.open(folder, flags, selected, err)) {
            int[] ids = ids(open.engine());
            Calibration result = measure(open.engine(), ids, goal, err);
            print(result, report);
            return 0;
        } catch (CancellationException e) {
            err.println("shadowkv: interrupted; nothing was measured");
            return 1;
        }
    }

    private void check(KvCacheSpec.Shadow selected) {
        if (!selected.budget().firstLayers().isEmpty()) {
            throw misuse("--layer-budgets is given, but calibrate proposes it. Leave it out");
        }
        if (positions < 1 || positions >= tokens.tokens()) {
            throw misuse("--positions is " + positions + "; expected 1 or more, and fewer than --tokens, "
                    + tokens.tokens());
        }
    }

    private Calibration.Goal goal() {
        if (mass != null && kl != null) {
            throw misuse("--mass and --kl are both given; give one of them");
        }
        try {
            return kl != null
                    ? new Calibration.Goal.Kl(kl)
                    : new Calibration.Goal.Mass(mass == null ? OptionalDouble.empty() : OptionalDouble.of(mass));
        } catch (IllegalArgumentException e) {
            throw misuse((kl != null ? "--kl: " : "--mass: ") + e.getMessage());
        }
    }

    /// The ids of the text, at most as many as `--tokens`.
    private int[] ids(Engine engine) throws IOException {
        int most = tokens.tokens();
        if (most > engine.contextTokens()) {
            throw new ContextLengthException(String.format(
                    "--tokens is %,d; the model's context is %,d%s. Lower --tokens, or use a model with a longer context.",
                    most, engine.contextTokens(), engine.spec().contextNote()));
        }
        PromptFormat format = PromptFormat.of(engine);
        if (file != null) {
            int[] all = format.encodeWhole(TextSource.read(spec, null, file, root.surroundings()));
            return all.length > most ? Arrays.copyOf(all, most) : all;
        }
        var sampler = new NeedleSampler(format, RunningText.kingJames(), WordList.bundled());
        Sample.Turn asked = sampler.sample(
                        NeedleTask.named("niah_multikey_1"), seed, 0, new NeedleSampler.Size(most, 0, ANSWER_TOKENS))
                .sample()
                .turns()
                .getFirst();
        return format.first(
                asked.user(), asked.answerPrefix() + " " + asked.references().getFirst());
    }

    private Calibration measure(Engine engine, int[] ids, Calibration.Goal goal, PrintWriter err) {
        String what = String.format("measuring attention in %,d tokens", ids.length);
        try (var line = new ProgressLine(err, ProgressLine.style(root.surroundings(), progress), what)) {
            return engine.calibrate(ids, positions, goal, done -> {
                if (root.cancellation().isRequested()) {
                    throw new CancellationException("interrupted");
                }
                line.update(done);
            });
        }
    }

    private void print(Calibration result, @Nullable ReportFile report) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        String object = CalibrateJson.of(model, result).toPrettyString();
        if (json) {
            out.println(object);
        } else {
            CalibrateTable.print(model, result, out);
        }
        out.flush();
        if (report != null) {
            report.write(object + System.lineSeparator());
        }
    }

    private ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
