package io.shadowkv.cli.minference;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.option.ReportFile;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TextSource;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.PromptFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `minference search`: finds the pattern of each head and writes the file that `--minference` reads.
@Command(
        name = "search",
        description = {
            "Finds the pattern with which each head keeps most of its attention, and writes the file that --minference"
                    + " reads.",
            "Texts are read exactly. On some rows, the host computes what columns and distances, key blocks, or first and"
                    + " nearest keys would keep. Each head gets what keeps most with at most --keys keys a row. A search"
                    + " that was interrupted resumes after the last text that was read to its end."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv minference search needle-32k --out needle-32k.json",
            "  shadowkv minference search ./model --text book.txt --tokens 64k --samples 2 --out model.json",
            "  shadowkv eval needle-32k --minference needle-32k.json --length 16k --samples 4 --out results"
        })
public final class MinferenceSearchCommand implements Callable<Integer> {
    /// The least and the most keys a row unless `--keys` is given; the most are those of the pattern that
    /// heads without one have.
    private static final int LEAST_KEYS = 1024;

    private static final int MOST_KEYS = 7096;
    private static final int PART_OF_TEXT = 8;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description =
                    "The texts, UTF-8; - is standard input. Each sample is a part of it of --tokens tokens. Default:"
                            + " bundled texts with hidden numbers, a question about one of them, and the answer.")
    private @Nullable Path text;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "16k",
            converter = TokenCount.Converter.class,
            description = "Number of tokens of a text. Default: ${DEFAULT-VALUE}.")
    private TokenCount tokens;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "3",
            description = "Number of texts. Default: ${DEFAULT-VALUE}.")
    private int samples;

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "32",
            description = "Number of rows of a text that are measured. Default: ${DEFAULT-VALUE}.")
    private int rows;

    @Option(
            names = "--keys",
            paramLabel = "N",
            converter = TokenCount.Converter.class,
            description =
                    "Maximum number of keys that a row reads, on average over the rows, as the kernels compute them."
                            + " Default: an eighth of the text, at least 1,024 and at most 7,096.")
    private @Nullable TokenCount keys;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the bundled texts. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--out",
            paramLabel = "FILE.json",
            required = true,
            description = "The pattern file, which appears complete or not at all. An unfinished search is kept in"
                    + " FILE.json.search.")
    private Path out;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private MinferenceSearchCommand() {}

    @Override
    public Integer call() throws IOException {
        check();
        Program root = (Program) spec.root().userObject();
        PrintWriter err = spec.commandLine().getErr();
        Path folder = root.models().resolve(model);
        try (ReportFile file = ReportFile.open(out);
                OpenModel open = OpenModel.open(folder, flags, new KvCacheSpec.Full(), err)) {
            SearchTexts texts = texts(open.engine(), root);
            if (texts.count() < samples) {
                err.printf(
                        "note: the text is long enough for %d of %d samples of %,d tokens%n",
                        texts.count(), samples, tokens.tokens());
            }
            var settings = new SearchFile.Settings(
                    open.engine().checkpoint().fingerprint(), texts.name(), tokens.tokens(), rows, seed);
            var search = new SearchFile(file.path().resolveSibling(file.path().getFileName() + ".search"), settings);
            SearchFile.State state = measure(open.engine(), texts, search, root, err);
            if (state.texts() < texts.count()) {
                err.printf(
                        "shadowkv: interrupted after %d of %d texts; run the same command again to resume%n",
                        state.texts(), texts.count());
                return 1;
            }
            List<List<PatternTrials.Choice>> choices = new PatternTrials(state.sums()).choose(mostKeys());
            file.write(PatternTrials.file(choices));
            search.delete();
            SearchTable.print(
                    model,
                    state.texts(),
                    tokens.tokens(),
                    mostKeys(),
                    choices,
                    spec.commandLine().getOut());
            spec.commandLine().getOut().printf("%nwritten to %s; use it with --minference %s%n", out, out);
            spec.commandLine().getOut().flush();
            return 0;
        }
    }

    private int mostKeys() {
        return keys == null ? Math.clamp(tokens.tokens() / PART_OF_TEXT, LEAST_KEYS, MOST_KEYS) : keys.tokens();
    }

    private void check() {
        atLeastOne("--samples", samples);
        atLeastOne("--rows", rows);
        if (Files.exists(out)) {
            throw misuse("--out " + out + " exists; delete it, or give another file");
        }
    }

    private void atLeastOne(String option, int value) {
        if (value < 1) {
            throw misuse(option + " is " + value + "; expected 1 or more");
        }
    }

    private SearchTexts texts(Engine engine, Program root) throws IOException {
        int most = tokens.tokens();
        if (most > engine.contextTokens()) {
            throw new ContextLengthException(String.format(
                    "--tokens is %,d; the model's context is %,d%s. Lower --tokens, or use a model with a longer context.",
                    most, engine.contextTokens(), engine.spec().contextNote()));
        }
        PromptFormat format = PromptFormat.of(engine);
        return text == null
                ? SearchTexts.bundled(format, seed, most, samples)
                : SearchTexts.of(
                        format.encodeWhole(TextSource.read(spec, null, text, root.surroundings())), most, samples);
    }

    /// Reads the texts that the search has not read yet, until it is interrupted.
    private SearchFile.State measure(Engine engine, SearchTexts texts, SearchFile search, Program root, PrintWriter err)
            throws IOException {
        SearchFile.State state = search.read()
                .orElseGet(() -> new SearchFile.State(
                        0,
                        PatternTrials.of(engine.spec().layers(), engine.spec().queryHeads(), tokens.tokens())
                                .sums()));
        String what = String.format("trying patterns on %d texts of %,d tokens", texts.count(), tokens.tokens());
        try (var line = new ProgressLine(err, ProgressLine.style(root.surroundings(), progress), what)) {
            while (state.texts() < texts.count()) {
                int done = state.texts();
                var trials = new PatternTrials(state.sums());
                engine.tryPatterns(texts.ids(done), trials, rows, share -> {
                    if (root.cancellation().isRequested()) {
                        throw new CancellationException("interrupted");
                    }
                    line.update((done + share) / texts.count());
                });
                state = new SearchFile.State(done + 1, trials.sums());
                search.write(state);
            }
        } catch (CancellationException e) {
            return state;
        }
        return state;
    }

    private ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
