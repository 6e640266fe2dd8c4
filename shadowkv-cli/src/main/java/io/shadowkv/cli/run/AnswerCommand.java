package io.shadowkv.cli.run;

import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.option.PrefillFlags;
import io.shadowkv.cli.process.Failures;
import io.shadowkv.cli.process.NamedFailure;
import io.shadowkv.cli.process.Program;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.eval.rows.EngineAnswerer;
import io.shadowkv.eval.rows.RowLoop;
import io.shadowkv.eval.worker.WorkerLoop;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `answer`: answers the rows of a table.
@Command(
        name = "answer",
        description = "Answers questions about documents: rows as JSON, one on each line, with key, document, question"
                + " and, if wanted, options of generation. Consecutive rows of the same document share it: it is"
                + " read once, and rows after the first can leave it out. Prints one line for each row, in the"
                + " order in which answers are ready.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv answer ORG/NAME rows.jsonl --batch 8 > answers.jsonl",
            "  echo '{\"key\": 1, \"document\": \"A text.\", \"question\": \"What is it?\"}' |"
                    + " shadowkv answer ORG/NAME",
            "",
            "A row: {\"key\": 1, \"document\": \"...\", \"question\": \"...\", \"options\": {\"max_tokens\": 64}}",
            "docs/SPARK.md has the options of a row, and how a cluster answers tables."
        })
public final class AnswerCommand implements Callable<Integer> {
    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "ROWS",
            description = "File of the rows. Default: standard input.")
    private @Nullable Path file;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message before every question.")
    private @Nullable String system;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "16",
            description = "Sequences that decode together. Default: ${DEFAULT-VALUE}.")
    private int batch;

    /// For the tasks of a cluster.
    @Option(names = "--worker", hidden = true)
    private boolean worker;

    @Mixin
    private SamplingFlags sampling;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private PrefillFlags prefill;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private AnswerCommand() {}

    @Override
    public Integer call() throws IOException {
        EngineOptions plain = flags.options(cache.spec()).withPrefill(prefill.spec());
        EngineOptions options = CacheFlags.checked(spec, () -> plain.withMaxBatch(batch));
        sampling.check();
        Path folder = root.models().resolve(model);
        if (worker) {
            var cancellation = new Cancellation();
            var out = new PrintStream(WorkerLoop.takeStandardOutput(), false, StandardCharsets.UTF_8);
            RowLoop loop = RowLoop.worker(root.surroundings().input(), cancellation::cancel);
            answer(folder, options, cancellation, loop, line -> {
                out.print(line + "\n");
                out.flush();
            });
            return 0;
        }
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try (InputStream input = open()) {
            RowLoop loop = RowLoop.of(input, root.cancellation()::isRequested);
            RowLoop.Summary summary = answer(folder, options, root.cancellation(), loop, line -> {
                out.print(line + "\n");
                out.flush();
            });
            err.printf("%,d rows have an answer, %,d an error%n", summary.answers(), summary.errors());
            err.flush();
            return summary.errors() == 0 ? 0 : Failures.FAILURE;
        }
    }

    private InputStream open() throws IOException {
        if (file != null && !file.toString().equals("-")) {
            if (Files.isDirectory(file)) {
                throw new IllegalArgumentException(file + ": is a folder; give the name of a file in it");
            }
            try {
                return Files.newInputStream(file);
            } catch (IOException e) {
                throw NamedFailure.of(file, e);
            }
        }
        if (file == null && root.surroundings().inputIsTerminal()) {
            throw new ParameterException(
                    spec.commandLine(), "no rows given; give the name of a file, or pass rows through a pipe");
        }
        return root.surroundings().input();
    }

    private RowLoop.Summary answer(
            Path folder, EngineOptions options, Cancellation cancellation, RowLoop loop, Consumer<String> out) {
        PrintWriter err = spec.commandLine().getErr();
        var wording = new BundledWording(model, root.models().isBundled(folder), err);
        try (OpenModel open = OpenModel.open(folder, flags, options, err)) {
            if (!open.hasChatTemplate() && system != null) {
                throw new IllegalArgumentException(model
                        + ": the model has no chat template, so --system cannot be used; put its text into the"
                        + " questions");
            }
            GenerationOptions usual =
                    sampling.options(open.engine().checkpoint().generation(), Integer.MAX_VALUE);
            Function<String, GenerationOptions> ofPrompt =
                    prompt -> wording.options(prompt, usual, sampling.statesEnd());
            var prompts = new EngineAnswerer.Prompts(system, ofPrompt);
            try (var answerer = new EngineAnswerer(open.engine(), prompts, cancellation)) {
                return loop.run(answerer, out);
            }
        }
    }
}
