package io.shadowkv.cli.demo;

import io.shadowkv.cache.IndexSpec;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.needle.NeedleSampler;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.NeedleText;
import io.shadowkv.eval.needle.WordList;
import io.shadowkv.eval.text.RunningText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Runs the demo: both methods on one backend, each with its own engine and its own prefill.
final class DemoRun {
    /// Tokens for an answer of seven digits in any tokenizer, with a margin.
    private static final int ANSWER_TOKENS = 24;
    private static final int WARM_UP_TOKENS = 1024;

    private final Options options;
    private final EngineFlags flags;
    private final Surroundings surroundings;
    private final PrintWriter err;
    private final Cancellation cancellation;
    private final WordList words = WordList.bundled();
    private final RunningText text = RunningText.kingJames();

    /// @param model the name as given
    /// @param folder folder of the model
    /// @param tokens limit of text, questions and answers together
    /// @param questions number of questions
    /// @param seed seed of the needles and their places
    /// @param shadow ShadowKV's parameters
    /// @param prefill how both methods read the text
    /// @param sweep further lengths to measure the speed at, in tokens
    /// @param style how progress is shown
    record Options(
            String model,
            Path folder,
            int tokens,
            int questions,
            long seed,
            KvCacheSpec.Shadow shadow,
            PrefillSpec prefill,
            List<Integer> sweep,
            ProgressLine.Style style) {}

    DemoRun(Options options, EngineFlags flags, Surroundings surroundings, PrintWriter err, Cancellation cancellation) {
        this.options = options;
        this.flags = flags;
        this.surroundings = surroundings;
        this.err = err;
        this.cancellation = cancellation;
    }

    /// @throws ContextLengthException if the context of the model is too short
    /// @throws java.util.concurrent.CancellationException if the run was interrupted
    DemoResult run() {
        long began = System.nanoTime();
        Backends.Choice choice = flags.openBackend(err);
        try (var backend = choice.backend();
                Engine full = Engine.open(options.folder, backend, engineOptions(new KvCacheSpec.Full()));
                Engine shadow = Engine.open(options.folder, backend, engineOptions(options.shadow))) {
            full.notes().forEach(note -> err.println("note: " + note));
            if (options.tokens > full.contextTokens()) {
                throw new ContextLengthException(String.format(
                        "the demo has %,d tokens; the model's context is %,d%s. Lower --tokens, or use a model"
                                + " with a longer context.",
                        options.tokens, full.contextTokens(), full.spec().contextNote()));
            }
            int room = options.tokens - MethodRun.PROBE_ROOM;
            DemoText demo = DemoText.make(
                    full, text, words, new DemoText.Size(room, options.questions, ANSWER_TOKENS, options.seed));
            var fullRun = new MethodRun(full, demo.format(), cancellation);
            var shadowRun = new MethodRun(shadow, demo.format(), cancellation);
            warmUp(fullRun, demo);
            DemoResult.Outcome ofFull = answer(fullRun, demo, "full attention", new FetchRecorder(1, 1));
            var recorder = new FetchRecorder(full.spec().layers(), demo.textTokens() / options.shadow.unitTokens());
            DemoResult.Outcome ofShadow = answer(shadowRun, demo, "ShadowKV", recorder);
            List<DemoResult.Speed> speeds = sweep(fullRun, demo);
            speeds.add(new DemoResult.Speed(demo.textTokens(), ofFull.speed(), ofShadow.speed()));
            speeds.sort((a, b) -> Integer.compare(a.tokens(), b.tokens()));
            return new DemoResult(
                    setup(full, demo, choice),
                    Machine.here(surroundings),
                    demo.questions(),
                    ofFull,
                    ofShadow,
                    speeds,
                    recorder.map(),
                    (System.nanoTime() - began) / 1e9);
        }
    }

    private EngineOptions engineOptions(KvCacheSpec cache) {
        return flags.options(cache).withPrefill(options.prefill);
    }

    /// Lets the JIT compiler compile the code of both methods before anything is timed. The text is
    /// short enough to be quick, and the budget is small enough to select from it.
    private void warmUp(MethodRun run, DemoText demo) {
        try (var line = new ProgressLine(err, options.style, "warming up")) {
            KvCacheSpec.Shadow small = warmUpSpec(options.shadow);
            run.speedsAfter(probeSample(demo, WARM_UP_TOKENS), List.of(new KvCacheSpec.Full(), small), line);
        }
    }

    /// The method with a budget that the warm-up's text outgrows.
    private static KvCacheSpec.Shadow warmUpSpec(KvCacheSpec.Shadow method) {
        return method.withIndex(
                        switch (method.index()) {
                            case IndexSpec.Landmarks landmarks -> new IndexSpec.Landmarks(landmarks.chunkSize(), 8);
                            case IndexSpec.TokenCodes codes -> codes;
                        })
                .withSparseBudget(256);
    }

    private DemoResult.Outcome answer(MethodRun run, DemoText demo, String method, FetchRecorder recorder) {
        String what = String.format("reading %,d tokens with %s", demo.textTokens(), method);
        try (var line = new ProgressLine(err, options.style, what)) {
            return run.answer(demo.hidden(), line, recorder);
        }
    }

    private List<DemoResult.Speed> sweep(MethodRun run, DemoText demo) {
        List<DemoResult.Speed> speeds = new ArrayList<>();
        for (int tokens : options.sweep) {
            String what = String.format("measuring decode speed at %,d tokens", tokens);
            try (var line = new ProgressLine(err, options.style, what)) {
                List<Double> both = run.speedsAfter(
                        probeSample(demo, tokens), List.of(new KvCacheSpec.Full(), options.shadow), line);
                speeds.add(new DemoResult.Speed(tokens, both.getFirst(), both.getLast()));
            }
        }
        return speeds;
    }

    private NeedleText probeSample(DemoText demo, int tokens) {
        return new NeedleSampler(demo.format(), text, words)
                .sample(
                        NeedleTask.named("niah_single_2"),
                        options.seed,
                        0,
                        new NeedleSampler.Size(tokens, 0, ANSWER_TOKENS));
    }

    private DemoResult.Setup setup(Engine engine, DemoText demo, Backends.Choice choice) {
        return new DemoResult.Setup(
                options.model,
                engine.plan(1, 1).weightBytes(),
                demo.textTokens(),
                options.tokens,
                options.seed,
                engine.kvType().toString(),
                choice.backend().name(),
                choice.reason(),
                options.shadow,
                options.prefill.label());
    }
}
