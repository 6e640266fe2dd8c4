package io.shadowkv.cli.eval;

import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.process.NamedFailure;
import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.report.Report;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.EvalRun;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.PromptCheck;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.eval.worker.Ready;
import io.shadowkv.eval.worker.WorkerLoop;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/// Asks every task at every length, saves the answers in a folder and writes the report: the common
/// part of `eval` and `sweep`. In a worker process, answers the requests of another process.
///
/// @param methods the methods to compare at a length
record EvalSession(
        Program root,
        CommandSpec command,
        String model,
        DataFlags data,
        RunFlags run,
        EngineFlags engine,
        IntFunction<List<Method>> methods) {
    /// The tasks to ask at one length.
    private record Round(EvalPlan plan, Map<String, EvalTask> tasks) {}

    /// @return the exit code
    int call() {
        data.samples();
        run.batch();
        run.massRows();
        try (EvalModel opened = EvalModel.open(model, root.models().resolve(model), run.template())) {
            if (run.workerLength().isPresent()) {
                serve(opened, run.workerLength().getAsInt());
                return 0;
            }
            return ask(opened);
        }
    }

    private int ask(EvalModel opened) {
        PrintWriter err = command.commandLine().getErr();
        List<Integer> lengths = data.lengths(opened.spec().contextTokens());
        // Tasks are made before any weights are read, so that missing files are reported at once.
        List<Map<String, EvalTask>> tasks = new ArrayList<>();
        for (int length : lengths) {
            tasks.add(tasks(opened, length));
        }
        if (run.comparedLog().isPresent()) {
            Path file = run.comparedLog().get().toAbsolutePath();
            checkEarlier(file, AnswerLog.read(file), opened, lengths, tasks);
            return 0;
        }
        if (run.jobFolder().isPresent()) {
            return writeJobs(run.jobFolder().get(), opened, lengths, tasks);
        }
        try (AnswerLog log = AnswerLog.open(run.folder().resolve("answers.jsonl"))) {
            if (!log.answers().isEmpty()) {
                checkEarlier(run.folder().resolve("answers.jsonl"), log.answers(), opened, lengths, tasks);
            }
            try (Examiners examiners = examiners(opened, err)) {
                List<Round> rounds = new ArrayList<>();
                for (int i = 0; i < lengths.size(); i++) {
                    rounds.add(new Round(plan(lengths.get(i), opened, examiners.backend()), tasks.get(i)));
                }
                List<EvalPlan> plans = rounds.stream().map(Round::plan).toList();
                RunInfo info = EvalRunInfo.of(this, opened, plans);
                NamedFailure.within(
                        run.folder(),
                        () -> RunFile.write(run.folder(), info, !log.answers().isEmpty()));
                ask(rounds, info, log, examiners, err);
            }
        } catch (CancellationException e) {
            err.println("shadowkv: interrupted; the answers so far are in " + run.folder()
                    + "; run the same command to resume");
            return 1;
        }
        Report.Written written = NamedFailure.within(run.folder(), () -> Report.write(run.folder()));
        command.commandLine().getOut().println("report: " + written.files().getFirst());
        command.commandLine().getOut().flush();
        return 0;
    }

    /// Refuses a folder whose answers are for other prompts, or from a different model of the same
    /// name.
    private void checkEarlier(
            Path file,
            Collection<AnswerRecord> answers,
            EvalModel opened,
            List<Integer> lengths,
            List<Map<String, EvalTask>> tasks) {
        RunFile.check(Objects.requireNonNull(file.getParent()), model, EvalRunInfo.settings(this, opened));
        PrintWriter err = command.commandLine().getErr();
        ProgressLine.Style style = ProgressLine.style(root.surroundings(), run.showsProgress());
        for (int i = 0; i < lengths.size(); i++) {
            int length = lengths.get(i);
            List<AnswerRecord> earlier = answers.stream()
                    .filter(answer -> answer.key().model().equals(model)
                            && answer.key().contextTokens() == length
                            && answer.key().seed() == data.seed())
                    .toList();
            var check = new PromptCheck(
                    tasks.get(i),
                    opened.format(),
                    opened.tokenizer(),
                    opened.spec().contextTokens(),
                    root.cancellation()::isRequested);
            try (var progress = new ProgressLine(err, style, "comparing prompts with those answered")) {
                check.check(file, earlier, progress::update);
            }
        }
    }

    /// Writes jobs for `SparkEval`, whose workers run this command on other machines.
    private int writeJobs(Path folder, EvalModel opened, List<Integer> lengths, List<Map<String, EvalTask>> tasks) {
        String backend = engine.backendName(command.commandLine().getErr());
        PrintWriter out = command.commandLine().getOut();
        refuseRelativePaths();
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> self = new ArrayList<>(root.surroundings().program());
        self.addAll(arguments());
        List<EvalPlan> plans =
                lengths.stream().map(length -> plan(length, opened, backend)).toList();
        RunInfo info = EvalRunInfo.of(this, opened, plans);
        for (int i = 0; i < lengths.size(); i++) {
            int length = lengths.get(i);
            Path file = folder.resolve("job-" + length + ".json");
            List<String> worker = with(self, "--worker-length", Integer.toString(length));
            List<String> check = with(self, "--compare-log");
            new EvalJob(plans.get(i), items(plans.get(i), tasks.get(i)), worker, 0, check, info).write(file);
            out.println(file);
        }
        out.flush();
        return 0;
    }

    private static List<String> with(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    /// Refuses relative paths, because a cluster's workers start in other folders.
    private void refuseRelativePaths() {
        for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
            if (!option.names()[0].equals("--job-dir")
                    && !option.names()[0].equals("--out")
                    && option.getValue() instanceof Path path
                    && !path.toString().isEmpty()
                    && !path.isAbsolute()) {
                throw new ParameterException(
                        command.commandLine(),
                        option.names()[0] + " " + path
                                + " is a relative path, and the workers of a cluster start in other folders; give "
                                + path.toAbsolutePath().normalize());
            }
        }
    }

    private static List<Item> items(EvalPlan plan, Map<String, EvalTask> tasks) {
        return plan.items(name -> Objects.requireNonNull(tasks.get(name)).size());
    }

    /// The arguments as given, from the name of the command on.
    List<String> arguments() {
        return command.root().commandLine().getParseResult().originalArgs();
    }

    private Map<String, EvalTask> tasks(EvalModel opened, int length) {
        var context = new TaskContext(
                opened.tokenizer(), opened.format(), length, data.seed(), data.options(), opened.endOfSequence());
        Map<String, EvalTask> tasks = new LinkedHashMap<>();
        for (String name : data.tasks()) {
            tasks.put(name, TaskCatalog.open(name, context));
        }
        return tasks;
    }

    private Examiners examiners(EvalModel opened, PrintWriter err) {
        if (run.workers() == 0) {
            return own(opened, root.cancellation(), err);
        }
        return new WorkerProcesses(
                root.surroundings(), arguments(), run.workers(), run.devices(), engine, root.cancellation(), err);
    }

    private OwnExaminer own(EvalModel opened, Cancellation cancellation, PrintWriter err) {
        return new OwnExaminer(
                opened, engine, run.batch(), run.measuresDivergence(), run.massRows(), cancellation, err);
    }

    private EvalPlan plan(int length, EvalModel opened, String backend) {
        return new EvalPlan(
                model,
                backend,
                engine.kvType().orElse(opened.weightType()).toString(),
                data.tasks(),
                length,
                data.samples(),
                data.seed(),
                methods.apply(length));
    }

    private void ask(List<Round> rounds, RunInfo info, AnswerLog log, Examiners examiners, PrintWriter err) {
        List<LeftOut> leftOut = new ArrayList<>();
        try {
            for (Round round : rounds) {
                ask(round, log, examiners, leftOut);
            }
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException e) {
            if (!log.answers().isEmpty()) {
                err.println("shadowkv: the run failed; the answers so far are in " + run.folder()
                        + "; run the same command to resume");
            }
            throw e;
        } finally {
            NamedFailure.within(run.folder(), () -> RunFile.write(run.folder(), info.withLeftOut(leftOut), true));
        }
    }

    /// @param leftOut receives the samples that could not be asked
    private void ask(Round round, AnswerLog log, Examiners examiners, List<LeftOut> leftOut) {
        int before = leftOut.size();
        List<AnswerRecord> answers = answers(round, log, examiners, leftOut);
        EvalTable.print(
                round.plan().contextTokens(),
                answers,
                leftOut.subList(before, leftOut.size()),
                command.commandLine().getOut());
    }

    private List<AnswerRecord> answers(Round round, AnswerLog log, Examiners examiners, List<LeftOut> leftOut) {
        EvalPlan plan = round.plan();
        PrintWriter err = command.commandLine().getErr();
        ProgressLine.Style style = ProgressLine.style(root.surroundings(), run.showsProgress());
        try (var progress = new EvalProgress(err, style, String.format("%,d tokens", plan.contextTokens()))) {
            var evalRun = new EvalRun(
                    plan, log, EvalRun.Options.ofBatch(run.batch()), progress, root.cancellation()::isRequested);
            try {
                return evalRun.run(items(plan, round.tasks()), examiners.seats(plan, round.tasks(), progress::say));
            } finally {
                leftOut.addAll(evalRun.leftOut());
            }
        }
    }

    /// Reads requests from standard input and writes answers to standard output until the input
    /// ends.
    private void serve(EvalModel opened, int length) {
        PrintWriter err = command.commandLine().getErr();
        var cancellation = new Cancellation();
        var loop = new WorkerLoop(root.surroundings().input(), WorkerLoop.takeStandardOutput(), cancellation::cancel);
        try (OwnExaminer own = own(opened, cancellation, new PrintWriter(PrintWriter.nullWriter()))) {
            EvalPlan plan = plan(length, opened, own.backend());
            try (Examiner examiner = own.seats(plan, tasks(opened, length), err::println)
                    .getFirst()
                    .get()) {
                loop.serve(new Ready(model, plan.backend(), plan.kvType()), examiner);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
