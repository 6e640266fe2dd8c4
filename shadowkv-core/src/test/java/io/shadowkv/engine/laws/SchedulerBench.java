package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.batch.SequenceEvents;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.engine.model.ModelText;
import io.shadowkv.model.Decoder;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.tensor.WeightPrecision;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A scheduler with a model, round by round on the test's thread. One unit of a prompt is read in a round.
final class SchedulerBench implements AutoCloseable {
    private final CheckedBackend backend;
    private final LoadedModel model;
    private final Planner planner;
    private final Scheduler scheduler;
    private final List<String> heard = new ArrayList<>();
    private boolean isConsumed = true;
    private @Nullable Duration timeout;

    /// @param folder of a checkpoint, closed with the model
    SchedulerBench(Path folder, CheckedBackend backend, EngineOptions given) {
        EngineOptions options = given.withReadingGap(Duration.ofNanos(1));
        this.backend = backend;
        Checkpoint checkpoint = Checkpoint.open(folder);
        Decoder decoder = Decoder.load(checkpoint, null, WeightPrecision.STORED, backend, note -> {});
        this.model = new LoadedModel(
                new ModelText(checkpoint, List.of(), RandomCheckpoint.SMALL.vocabulary()),
                checkpoint.weightBytes(),
                backend,
                decoder,
                null,
                () -> "a test");
        var strategy = model.strategy(options.cache(), options.prefill());
        this.planner = new Planner(model, options, strategy);
        this.scheduler = new Scheduler(model, options, strategy, planner);
    }

    LoadedModel model() {
        return model;
    }

    Planner planner() {
        return planner;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    /// What happened to sequences, in order: `NAME reads`, `NAME token`, `NAME ended`.
    List<String> heard() {
        return heard;
    }

    /// Later turns of conversations end after this time; null for never.
    void timeout(@Nullable Duration limit) {
        timeout = limit;
    }

    /// Whether consumers of events keep up.
    void consumes(boolean keepsUp) {
        isConsumed = keepsUp;
    }

    Sequence submit(String name, int[] prompt, int tokens) {
        return submit(
                name,
                Request.of(
                        prompt,
                        GenerationOptions.DEFAULT.withMaxNewTokens(tokens).withIgnoreEos(true)));
    }

    /// Submits a sequence that begins with little memory.
    Sequence grow(String name, Request request) {
        int prompt = request.promptIds().length;
        int capacity = prompt + request.options().maxNewTokens();
        Sequence sequence = new Sequence(
                model.text(), request, new int[0], planner.growing(prompt, capacity, 4), null, noting(name));
        scheduler.submit(sequence);
        return sequence;
    }

    Sequence submit(String name, Request request) {
        int capacity = request.promptIds().length + request.options().maxNewTokens();
        Sequence sequence =
                new Sequence(model.text(), request, new int[0], planner.sequence(capacity, 4), null, noting(name));
        scheduler.submit(sequence);
        return sequence;
    }

    /// Reads a document, which later prompts that begin with its tokens continue.
    Prefix document(int[] ids) {
        Sequence sequence = new Sequence(
                model.text(),
                Request.of(ids, GenerationOptions.DEFAULT),
                new int[0],
                planner.sequence(ids.length, 1),
                null,
                noting("document"));
        sequence.readsOnly();
        scheduler.submit(sequence);
        while (!sequence.isFinished()) {
            roundAndCheck();
        }
        return Objects.requireNonNull(sequence.prefix());
    }

    /// Submits a turn of a conversation of up to 300 tokens, whose cache stays open.
    ///
    /// @param held the cache of `history`; null for the first turn
    Sequence next(String name, int[] history, int[] turn, @Nullable SequenceCache held) {
        Request request = Request.of(
                        turn, GenerationOptions.DEFAULT.withMaxNewTokens(3).withIgnoreEos(true))
                .withTimeout(timeout);
        Sequence sequence = new Sequence(model.text(), request, history, planner.sequence(300, 3), held, noting(name));
        sequence.keepCache();
        scheduler.submit(sequence);
        return sequence;
    }

    private SequenceEvents noting(String name) {
        return new SequenceEvents() {
            @Override
            public void reading(double done) {
                heard.add(name + " reads");
            }

            @Override
            public void token(int id, String text, @Nullable TokenLogprobs logprobs) {
                heard.add(name + " token");
            }

            @Override
            public void ended(Sequence sequence) {
                heard.add(name + " ended");
            }

            @Override
            public boolean isReady() {
                return isConsumed;
            }
        };
    }

    void roundAndCheck() {
        scheduler.round();
        for (Place place : Place.values()) {
            assertThat(scheduler.ledger().heldBytes(place))
                    .as("bytes in the ledger, " + place)
                    .isEqualTo(backend.bytes(place, "((keys and values|cache|fork) of a|,|a parked) sequence of"));
        }
    }

    int[] finish(Sequence sequence) {
        while (!sequence.isFinished()) {
            roundAndCheck();
        }
        return sequence.completion().ids();
    }

    @Override
    public void close() {
        scheduler.close();
        model.close();
    }
}
