package io.shadowkv.spark;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.worker.EvalJob;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// The folder of a log: decides whether a job may add answers to those that are there, and keeps in `run.json` what the
/// run was.
///
/// The driver has neither tokenizer nor weights. It compares settings and fingerprints itself, because the job has
/// them, and starts the job's check command to compare prompts.
final class LogFolder {
    private final EvalJob job;
    private final Path log;
    private final Path folder;
    private final Consumer<String> notes;

    /// @param log file of the answers
    /// @param notes takes what is not compared, and why
    LogFolder(EvalJob job, Path log, Consumer<String> notes) {
        this.job = job;
        this.log = log.toAbsolutePath();
        this.folder = Objects.requireNonNull(this.log.getParent());
        this.notes = notes;
    }

    /// Compares what the log's answers were made with and asked with what this job has and would ask.
    ///
    /// @param answers the log, open
    /// @throws IllegalArgumentException if something differs; the message says what
    /// @throws CancellationException if the thread is interrupted meanwhile
    void check(AnswerLog answers) {
        boolean isAnswered = !answers.answers().isEmpty();
        RunInfo run = job.run();
        if (run != null) {
            RunFile.write(folder, isAnswered ? run.withLeftOut(otherLengths(run)) : run, isAnswered);
        } else if (isAnswered) {
            notes.accept(
                    "the job has no \"run\", so settings and weights are not compared with those that the answers in "
                            + log + " were made with");
        }
        if (!job.checkCommand().isEmpty()) {
            compare();
        } else if (isAnswered) {
            notes.accept("the job has no \"check_command\", so prompts are not compared with those that the answers in "
                    + log + " were given to");
        }
    }

    /// Adds to `run.json` the samples that were left out.
    void leftOut(List<LeftOut> samples) {
        RunInfo run = job.run();
        if (run != null) {
            List<LeftOut> all = new ArrayList<>(otherLengths(run));
            all.addAll(samples);
            RunFile.write(folder, run.withLeftOut(all), true);
        }
    }

    /// What the jobs of the same command at other lengths left out.
    private List<LeftOut> otherLengths(RunInfo run) {
        return RunFile.leftOut(folder, run.command()).stream()
                .filter(one -> one.contextTokens() != job.plan().contextTokens())
                .toList();
    }

    private void compare() {
        List<String> command = new ArrayList<>(job.checkCommand());
        command.add(log.toString());
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try {
                process.getOutputStream().close();
                // On another thread: a wait for a process can be interrupted, reading cannot.
                CompletableFuture<String> said = CompletableFuture.supplyAsync(() ->
                        process.inputReader(StandardCharsets.UTF_8).lines().collect(Collectors.joining("\n")));
                int code = process.waitFor();
                if (code != 0) {
                    throw new IllegalArgumentException(
                            "the job's check command ended with exit code %d: %s%nThe command was %s"
                                    .formatted(code, said.join(), String.join(" ", command)));
                }
            } finally {
                process.destroy();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the job's check command cannot be started: " + e.getMessage() + "; it was "
                            + String.join(" ", command),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException)
                    new CancellationException("interrupted while prompts were compared").initCause(e);
        }
    }
}
