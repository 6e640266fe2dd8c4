package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.EngineFlags;
import io.shadowkv.cli.ProgressLine;
import io.shadowkv.cli.ShadowKvCommand;
import io.shadowkv.engine.Backends;
import io.shadowkv.engine.Engine;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.eval.AccuracyTable;
import io.shadowkv.eval.AnswerLog;
import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.NeedleAccuracy;
import io.shadowkv.eval.NeedleSampler;
import io.shadowkv.eval.NeedleTask;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.RunningText;
import io.shadowkv.eval.WordList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `needle`: how many questions of RULER's needle tasks each method answers.
@Command(
        name = "needle",
        description =
                "Asks a seeded set of RULER's needle tasks and counts right answers. Every answer is kept in a file;"
                        + " the same command goes on where it was interrupted. A prompt is read once for both methods.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv needle --tasks niah_single_2,niah_multikey_1 --samples 5 --length 8192",
            "  shadowkv needle --method shadowkv --budget 2048 --out answers.jsonl"
        })
public final class NeedleCommand implements Callable<Integer> {
    /// Methods to ask.
    enum Methods {
        full,
        shadowkv,
        both
    }

    @ParentCommand
    private ShadowKvCommand root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            defaultValue = "needle-32k",
            description = "A bundled" + " model, a folder, or ORG/NAME of a pulled model. Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(
            names = "--tasks",
            split = ",",
            paramLabel = "TASK",
            description = "Tasks by RULER's names. Default: all eight" + " niah tasks.")
    private @Nullable List<String> tasks;

    @Option(
            names = "--length",
            paramLabel = "TOKENS",
            defaultValue = "32768",
            description = "Tokens of prompt and answer together. Default: ${DEFAULT-VALUE}.")
    private int length;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "20",
            description = "Questions a task. Default: ${DEFAULT-VALUE}.")
    private int samples;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of the questions. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = {"-n", "--max-new-tokens"},
            paramLabel = "N",
            defaultValue = "128",
            description = "Room for an answer. Default: ${DEFAULT-VALUE}, as RULER has it.")
    private int maxNewTokens;

    @Option(
            names = "--method",
            defaultValue = "both",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Methods method;

    @Mixin
    private ShadowFlags shadow;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            defaultValue = "needle-answers.jsonl",
            description = "File of answers, one JSON object a line, appended to. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--progress", description = "Show progress also where standard error is no terminal.")
    private boolean progress;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private NeedleCommand() {}

    @Override
    public Integer call() {
        NeedleAccuracy.Plan plan = plan();
        List<KvCacheSpec> specs = new ArrayList<>();
        if (method != Methods.shadowkv) {
            specs.add(new KvCacheSpec.Full());
        }
        if (method != Methods.full) {
            specs.add(shadow.spec());
        }
        Path folder = root.models().resolve(model);
        Backends.Choice choice = flags.openBackend(spec.commandLine().getErr());
        try (var backend = choice.backend();
                Engine engine = Engine.open(folder, backend, flags.options(specs.getFirst()));
                AnswerLog log = AnswerLog.open(out)) {
            List<AnswerRecord> answers = ask(plan, engine, specs, log);
            NeedleTable.print(AccuracyTable.of(answers), spec.commandLine().getOut());
        }
        return root.cancellation().isRequested() ? 1 : 0;
    }

    private NeedleAccuracy.Plan plan() {
        try {
            List<NeedleTask> asked = tasks == null
                    ? NeedleTask.ALL
                    : tasks.stream().map(NeedleTask::named).toList();
            return new NeedleAccuracy.Plan(model, asked, samples, seed, length, maxNewTokens);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private List<AnswerRecord> ask(NeedleAccuracy.Plan plan, Engine engine, List<KvCacheSpec> specs, AnswerLog log) {
        if (length > engine.contextTokens()) {
            throw new ParameterException(
                    spec.commandLine(),
                    String.format(
                            "--length is %,d; the model's context is %,d tokens. Give a smaller length",
                            length, engine.contextTokens()));
        }
        PromptFormat format = PromptFormat.of(engine);
        var sampler = new NeedleSampler(format, RunningText.kingJames(), WordList.bundled());
        List<NeedleAccuracy.Method> methods = specs.stream()
                .map(cache -> new NeedleAccuracy.Method(
                        cache,
                        cache + " " + engine.kvType() + " on "
                                + engine.backend().name()))
                .toList();
        NeedleAccuracy.Answerer answerer = (ids, room, strategies, listener) -> engine.compare(
                Request.of(ids, GenerationOptions.DEFAULT.withMaxNewTokens(room))
                        .withListener(listener)
                        .withCancellation(root.cancellation()),
                strategies);
        var accuracy = new NeedleAccuracy(plan, sampler, format, answerer, methods);
        ProgressLine.Style style = ProgressLine.style(root.surroundings(), progress);
        try (var watcher = new NeedleProgress(spec.commandLine().getErr(), style)) {
            return accuracy.run(log, watcher, root.cancellation()::isRequested);
        }
    }
}
