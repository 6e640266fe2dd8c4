package io.shadowkv.cli.ruler;

import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.TokenCount;
import io.shadowkv.cli.process.UserCache;
import io.shadowkv.eval.ModelTemplate;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.ruler.text.RulerVersion;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `ruler build`: writes RULER's JSONL files for a model, without reading its weights.
@Command(
        name = "build",
        description =
                "Writes RULER's tasks in RULER's own format, DIR/TASK/validation.jsonl, with a length in the model's tokens"
                        + " and in its chat template. The same command resumes an interrupted run.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv ruler build --length 32k --out data/needle-32k",
            "  shadowkv ruler build --model ORG/NAME --length 128k --samples 200 --haystack essays.json.gz --out data/128k",
            "  shadowkv ruler build --model ./yi --length 64k --ruler-version shadowkv --template yi --out data/yi",
            "  shadowkv ruler build --length 8k --tasks qa_1,qa_2 --data-dir ~/data --out data/qa"
        })
final class RulerBuildCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            defaultValue = "needle-32k",
            description =
                    "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model. Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(
            names = "--length",
            paramLabel = "TOKENS",
            required = true,
            converter = TokenCount.Converter.class,
            description = "Tokens of prompt and answer together, such as 32k.")
    private TokenCount length;

    @Option(
            names = "--tasks",
            split = ",",
            paramLabel = "TASK",
            description = "Tasks, such as vt or niah_*. Default: all 13.")
    private @Nullable List<String> tasks;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "100",
            description = "Rows of each task. Default: ${DEFAULT-VALUE}.")
    private int samples;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of the samples. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--ruler-version",
            paramLabel = "NAME",
            defaultValue = "nvidia",
            description = "RULER's version: nvidia, or shadowkv for the older copy that the paper used. Default:"
                    + " ${DEFAULT-VALUE}.")
    private String version;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = PromptFormat.AUTO,
            description =
                    "Template of the text: auto (the model's chat template if it has one), or one of the paper's: base,"
                            + " llama-3, yi, lwm, glm, qwen, phi; or of RULER's: meta-chat, lwm-chat, chatglm-chat,"
                            + " Phi3, meta-llama3. Default: ${DEFAULT-VALUE}.")
    private String template;

    @Option(
            names = "--haystack",
            paramLabel = "FILE",
            description =
                    "Running text: plain text or RULER's PaulGrahamEssays.json; may be .gz. Default: the bundled King James Bible.")
    private @Nullable Path haystack;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Folder with ruler/squad.json and ruler/hotpotqa.json for qa_1 and qa_2. Default:"
                    + " shadowkv/data in the user's cache folder.")
    private @Nullable Path dataFolder;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the tasks' folders.")
    private Path out;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private RulerBuildCommand() {}

    @Override
    public Integer call() throws IOException {
        Program root = (Program) spec.root().userObject();
        List<String> names = names();
        if (samples < 1) {
            throw misuse("--samples is " + samples + "; expected 1 or more");
        }
        Path folder = root.models().resolve(model);
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            var context = new TaskContext(
                    tokenizer,
                    PromptFormat.of(template, ChatTemplate.open(folder), tokenizer),
                    length.tokens(),
                    seed,
                    new TaskContext.Options(version, haystack, UserCache.data(dataFolder)));
            var build = new RulerBuild(
                    context,
                    new RulerBuild.Settings(model, length.tokens(), seed, version, template, text(haystack)),
                    out,
                    root.cancellation(),
                    ProgressLine.style(root.surroundings(), progress));
            return build.run(
                            names,
                            samples,
                            spec.commandLine().getOut(),
                            spec.commandLine().getErr())
                    ? 0
                    : 1;
        }
    }

    private static @Nullable String text(@Nullable Path path) {
        return path == null ? null : path.toString();
    }

    private List<String> names() {
        try {
            RulerVersion.of(version);
            if (!template.equals(PromptFormat.AUTO)) {
                ModelTemplate.named(template);
            }
            List<String> given = tasks == null ? List.of("*") : tasks;
            return TaskCatalog.names(given.stream().map(task -> "ruler/" + task).toList()).stream()
                    .map(name -> name.substring("ruler/".length()))
                    .toList();
        } catch (IllegalArgumentException e) {
            throw misuse(String.valueOf(e.getMessage()));
        }
    }

    private ParameterException misuse(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
