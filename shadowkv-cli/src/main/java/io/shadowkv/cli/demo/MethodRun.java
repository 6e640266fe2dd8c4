package io.shadowkv.cli.demo;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Conversation;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.metric.RulerMetrics;
import io.shadowkv.eval.needle.NeedleText;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/// Runs one method: reads the text, answers the questions in one conversation, and measures decode
/// speed.
///
/// @param engine an engine with the method's cache
/// @param format wraps turns
/// @param cancellation ends the run early with a `CancellationException`
record MethodRun(Engine engine, PromptFormat format, Cancellation cancellation) {
    /// New tokens over which a speed is measured.
    static final int PROBE_TOKENS = 96;

    /// Tokens that [#answer] needs in addition to the sample: the last question again, and the
    /// answer of the probe.
    static final int PROBE_ROOM = PROBE_TOKENS + 96;

    /// Asks every question of a sample, then measures decode speed at the end of the conversation.
    ///
    /// @param line shows progress while the text is read
    /// @param recorder receives the selections of the answers; the probe is not traced, because
    ///     tracing takes time
    DemoResult.Outcome answer(NeedleText text, ProgressLine line, FetchRecorder recorder) {
        List<Completion> completions = new ArrayList<>();
        List<DemoResult.Answer> answers = new ArrayList<>();
        var clock = new TokenClock(line, System::nanoTime);
        try (Conversation conversation = engine.converse(text.totalTokens() + PROBE_ROOM)) {
            engine.traceSelections(recorder);
            for (Sample.Turn turn : text.sample().turns()) {
                GenerationOptions options = GenerationOptions.DEFAULT.withMaxNewTokens(turn.maxNewTokens());
                Completion completion = send(conversation, turn, options, clock);
                completions.add(completion);
                boolean isRight = RulerMetrics.STRING_MATCH_ALL.score(completion.text(), turn.references()) == 1;
                answers.add(new DemoResult.Answer(completion.text().strip(), isRight));
                recorder.endTurn();
            }
            engine.traceSelections(null);
            var probeClock = new TokenClock(line, System::nanoTime);
            Completion probe =
                    send(conversation, withoutText(text.sample().turns().getLast()), probeOptions(), probeClock);
            return outcome(answers, completions, probe, probeClock.speed(0, PROBE_TOKENS));
        }
    }

    /// Reads a text once for all strategies and measures the decode speed of each after it, in
    /// tokens per second of the median step.
    ///
    /// @param line shows progress while the text is read
    List<Double> speedsAfter(NeedleText text, List<KvCacheSpec> strategies, ProgressLine line) {
        var clock = new TokenClock(line, System::nanoTime);
        Request request = request(format.turn(text.sample().turns().getFirst(), -1), probeOptions(), clock);
        List<Double> speeds = new ArrayList<>();
        for (Completion completion : engine.compare(request, strategies)) {
            uncancelled(completion);
            int from = speeds.size() * PROBE_TOKENS;
            speeds.add(clock.speed(from, from + PROBE_TOKENS));
        }
        return speeds;
    }

    private Completion send(Conversation conversation, Sample.Turn turn, GenerationOptions options, TokenClock clock) {
        int[] held = conversation.ids();
        int[] ids = format.turn(turn, held.length == 0 ? -1 : held[held.length - 1]);
        return uncancelled(conversation.send(request(ids, options, clock)));
    }

    private Request request(int[] ids, GenerationOptions options, TokenClock clock) {
        return Request.of(ids, options).withCancellation(cancellation).withListener(clock);
    }

    private static Completion uncancelled(Completion completion) {
        if (completion.finish() == Completion.FinishReason.CANCELLED) {
            throw new CancellationException("interrupted");
        }
        return completion;
    }

    private static Sample.Turn withoutText(Sample.Turn turn) {
        return new Sample.Turn(
                turn.question(),
                turn.question(),
                turn.answerPrefix(),
                turn.references(),
                turn.maxNewTokens(),
                turn.stopIds(),
                turn.metrics());
    }

    private static GenerationOptions probeOptions() {
        return GenerationOptions.DEFAULT.withMaxNewTokens(PROBE_TOKENS).withIgnoreEos(true);
    }

    private static DemoResult.Outcome outcome(
            List<DemoResult.Answer> answers, List<Completion> completions, Completion probe, double speed) {
        Completion.Timings reading = completions.getFirst().timings();
        double turnSeconds = completions.stream()
                .skip(1)
                .mapToDouble(completion -> completion.timings().prefillNanos() / 1e9)
                .sum();
        Completion.CacheReport cache = probe.cache();
        return new DemoResult.Outcome(
                answers,
                reading.prefillNanos() / 1e9,
                reading.indexingWaitNanos() / 1e9,
                turnSeconds,
                speed,
                cache.planned(),
                cache.measured(),
                completions.getLast().cache().hitRate(),
                cache.keptWhole());
    }
}
