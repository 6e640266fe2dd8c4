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

/// How a run goes: where its files lie, how much is asked together, by how many processes; a mixin.
final class RunFlags {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = "eval-results",
            description = "Folder of answers (answers.jsonl, appended to) and report. The same command goes on where it"
                    + " was interrupted. Before it does, prompts and right answers are compared with those of the answers"
                    + " there, and settings, config.json and weights with run.json's (weights by names, types, shapes,"
                    + " sizes and samples of every tensor's bytes); where something differs, it is refused with both"
                    + " values. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1",
            description = "Samples that decode together, as far as the memory holds them. Default: ${DEFAULT-VALUE}.")
    private int batch;

    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "What stands around a question: auto (the model's chat template, or nothing), or base (nothing),"
                            + " llama-3, yi, lwm, glm, qwen, phi as in the paper's code, or meta-chat, lwm-chat, chatglm-chat,"
                            + " Phi3, meta-llama3 as in RULER's. InfiniteBench asks in two ways:"
                            + " inside a template GPT-4's prompts, with base those that its scripts give to every open"
                            + " model, which the published numbers of open models are made with."
                            + " Default: ${DEFAULT-VALUE}.")
    private String template;

    @Option(
            names = "--no-divergence",
            description = "Do not measure KL divergence from full attention; saves a little time and memory.")
    private boolean noDivergence;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "Worker processes, each with a model of its own; they share cores or devices. One that"
                    + " dies, or stops for two minutes, is replaced and its samples are asked again."
                    + " Default: none, or one for each of --devices.")
    private @Nullable Integer workers;

    @Option(
            names = "--devices",
            split = ",",
            paramLabel = "N",
            description = "GPUs by number, one for each worker in turn.")
    private @Nullable List<Integer> devices;

    @Option(
            names = "--job-dir",
            paramLabel = "DIR",
            description = "Ask nothing, but write the run as jobs for a Spark cluster, one a length (docs/SPARK.md).")
    private @Nullable Path jobFolder;

    @Option(
            names = "--worker-length",
            paramLabel = "TOKENS",
            hidden = true,
            description = "Answers what comes on standard input, for a run that started this process.")
    private @Nullable Integer workerLength;

    @Option(
            names = "--compare-log",
            paramLabel = "FILE",
            hidden = true,
            description = "Asks nothing, but compares the answers in this log with what the command asks now.")
    private @Nullable Path comparedLog;

    @Option(names = "--progress", description = "Show progress also where standard error is no terminal.")
    private boolean progress;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    RunFlags() {}

    Path folder() {
        return out;
    }

    int batch() {
        if (batch < 1) {
            throw misuse("--batch is " + batch + "; expected 1 or more");
        }
        return batch;
    }

    /// `auto`, or a name that there is.
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

    /// Worker processes; 0 asks in this one.
    int workers() {
        int asked = workers != null ? workers : devices != null ? devices.size() : 0;
        if (asked < 0) {
            throw misuse("--workers is " + asked + "; expected 0 or more");
        }
        return asked;
    }

    /// GPUs that workers take in turn; empty if none were named.
    List<Integer> devices() {
        return devices == null ? List.of() : devices;
    }

    /// Where jobs for a cluster are to be written instead of asking; empty if they are not.
    Optional<Path> jobFolder() {
        return Optional.ofNullable(jobFolder);
    }

    /// The length this process is a worker for; empty in the process that a person started.
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
