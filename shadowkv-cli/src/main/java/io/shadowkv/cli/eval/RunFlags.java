package io.shadowkv.cli.eval;

import io.shadowkv.eval.ModelTemplate;
import io.shadowkv.eval.PromptFormat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options of a run: where its files are, how many samples run together and in how many processes;
/// a mixin.
final class RunFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "eval-results",
            description = "Folder of answers (answers.jsonl, appended to) and report. The same command resumes an"
                    + " interrupted run. It first compares prompts and correct answers with those in the folder, and"
                    + " settings, config.json and weights with run.json (weights by names, types, shapes, sizes and"
                    + " samples of every tensor's bytes). If anything differs, it stops and shows both values."
                    + " Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "Samples that decode together, if the memory allows it. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "Template of a question: auto (the model's chat template if it has one), base (no template), or"
                            + " llama-3, yi, lwm, glm, qwen, phi as in the paper's code, or meta-chat, lwm-chat,"
                            + " chatglm-chat, Phi3, meta-llama3 as in RULER's. For InfiniteBench it also selects the"
                            + " prompts: with a template those for GPT-4, with base those that the suite's scripts give"
                            + " to every open model; published scores of open models use the latter."
                            + " Default: ${DEFAULT-VALUE}.")
    private String template;

    @Option(
            names = "--no-divergence",
            description = "Do not measure KL divergence from full attention; saves a little time and memory.")
    private boolean noDivergence;

    @Option(
            names = "--prefill-mass",
            paramLabel = "ROWS",
            defaultValue = "0",
            description =
                    "Measure in each layer what share of attention's weights sparse prefill keeps, on so many rows"
                            + " of a prompt. The host computes it: 16 rows take about a tenth of the reading on a CPU, and far"
                            + " longer than the reading on a GPU. Default: ${DEFAULT-VALUE}, no measurement.")
    private int massRows;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description =
                    "Worker processes, each with its own copy of the model; they share cores or devices. If one dies"
                            + " or does not respond for two minutes, it is replaced and its samples are retried."
                            + " Default: none, or one for each of --devices.")
    private @Nullable Integer workers;

    @Option(
            names = "--devices",
            split = ",",
            paramLabel = "N",
            description = "Numbers of the GPUs, assigned to the workers in turn.")
    private @Nullable List<Integer> devices;

    @Option(
            names = "--job-dir",
            paramLabel = "DIR",
            description =
                    "Write the run as jobs for a Spark cluster, one per length, instead of asking (docs/SPARK.md).")
    private @Nullable Path jobFolder;

    @Option(
            names = "--worker-length",
            paramLabel = "TOKENS",
            hidden = true,
            description = "Answer requests from standard input, for a run that started this process.")
    private @Nullable Integer workerLength;

    @Option(
            names = "--compare-log",
            paramLabel = "FILE",
            hidden = true,
            description = "Ask nothing, but compare the answers in this log with what the command asks now.")
    private @Nullable Path comparedLog;

    @Option(names = "--progress", description = "Show progress even if standard error is not a terminal.")
    private boolean progress;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    RunFlags() {}

    /// Number of rows of a prompt whose kept mass is measured; 0 for none.
    int massRows() {
        if (massRows < 0) {
            throw misuse("--prefill-mass is " + massRows + "; expected 0 (no measurement) or more");
        }
        return massRows;
    }

    Path folder() {
        return out;
    }

    int batch() {
        if (batch < 1) {
            throw misuse("--batch is " + batch + "; expected 1 or more");
        }
        return batch;
    }

    /// The template: `auto` or an existing name.
    String template() {
        if (!template.equals(PromptFormat.AUTO)) {
            try {
                ModelTemplate.named(template);
            } catch (IllegalArgumentException e) {
                throw misuse("--template: " + e.getMessage());
            }
        }
        return template;
    }

    boolean measuresDivergence() {
        return !noDivergence;
    }

    /// Number of worker processes; 0 asks in this process.
    int workers() {
        int asked = workers != null ? workers : devices != null ? devices.size() : 0;
        if (asked < 0) {
            throw misuse("--workers is " + asked + "; expected 0 or more");
        }
        return asked;
    }

    /// GPUs that workers take in turn; empty if none were given.
    List<Integer> devices() {
        return devices == null ? List.of() : devices;
    }

    /// Folder for jobs of a cluster; empty if this process asks the tasks itself.
    Optional<Path> jobFolder() {
        return Optional.ofNullable(jobFolder);
    }

    /// The length that this worker process answers; empty if this process is not a worker.
    OptionalInt workerLength() {
        return workerLength == null ? OptionalInt.empty() : OptionalInt.of(workerLength);
    }

    /// The log whose answers are to be compared instead of asking; empty if none is.
    Optional<Path> comparedLog() {
        return Optional.ofNullable(comparedLog);
    }

    boolean showsProgress() {
        return progress;
    }

    private ParameterException misuse(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
