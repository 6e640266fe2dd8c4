package io.shadowkv.engine.serve;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Prefix;
import io.shadowkv.engine.batch.Scheduler;
import io.shadowkv.engine.batch.Sequence;
import io.shadowkv.engine.batch.SequenceEvents;
import io.shadowkv.engine.model.LoadedModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Checks requests, turns them into sequences, and submits them. Thread-safe.
final class Requests {
    private final LoadedModel model;
    private final EngineOptions options;
    private final Planner planner;
    private final Scheduler scheduler;
    private final EngineLoop loop;
    private final DocumentFile documentFile;

    /// @param scheduler used by the loop's thread only
    Requests(LoadedModel model, EngineOptions options, Planner planner, Scheduler scheduler, EngineLoop loop) {
        this.model = model;
        this.options = options;
        this.planner = planner;
        this.scheduler = scheduler;
        this.loop = loop;
        this.documentFile = new DocumentFile(model, options, planner, scheduler, loop);
    }

    /// See [Engine#submit].
    Generation submit(Request request) {
        loop.checkAvailable();
        EventQueue events = new EventQueue();
        Generation generation = new Generation(request, loop, events, Generation.EVENT_BUFFER, model.text()::explained);
        Sequence sequence = prepare(request, options.maxBatch(), generation.sink(true));
        boolean isHeard = !GenerationListener.SILENT.equals(request.listener());
        if (isHeard) {
            generation.consumedByListener();
        }
        loop.submit(List.of(submission(generation, sequence)), true);
        if (isHeard) {
            ListenerDelivery delivery = new ListenerDelivery(events, List.of(generation));
            Thread.ofVirtual().name("shadowkv-listener").start(delivery::run);
        }
        return generation;
    }

    /// See [Engine#complete(List)].
    List<Completion> complete(List<Request> list) {
        loop.checkAvailable();
        int together = Math.clamp(list.size(), 1, options.maxBatch());
        EventQueue events = new EventQueue();
        List<Generation> generations = new ArrayList<>();
        List<Submission> submissions = new ArrayList<>();
        for (Request request : list) {
            Generation generation = heardByCaller(request, events);
            generations.add(generation);
            submissions.add(submission(generation, prepare(request, together, sink(generation))));
        }
        return await(generations, submissions, events);
    }

    /// See [Engine#read].
    Document read(Request request) {
        loop.checkAvailable();
        model.limits().checkDocument(request.promptIds());
        int tokens = request.promptIds().length;
        planner.checkFits(tokens, 1);
        EventQueue events = new EventQueue();
        Generation generation = heardByCaller(request, events);
        PlannedSequence planned = planner.sequence(tokens, options.maxBatch());
        Sequence sequence = new Sequence(model.text(), request, new int[0], planned, null, sink(generation));
        sequence.readsOnly();
        Completion completion = await(List.of(generation), List.of(submission(generation, sequence)), events)
                .getFirst();
        Prefix prefix = sequence.prefix();
        if (prefix == null) {
            throw new CancellationException(
                    "the reading of a document of " + tokens + " tokens ended early: " + completion.finish());
        }
        return new Document(this, request.promptIds(), prefix, planned.bytes().total());
    }

    /// See [Document#save].
    void save(int[] ids, Prefix prefix, Path file) {
        documentFile.save(ids, prefix, file);
    }

    /// See [Engine#openDocument].
    Document openDocument(Path file) {
        DocumentFile.Opened opened = documentFile.open(file);
        return new Document(this, opened.ids(), opened.prefix(), opened.bytes());
    }

    /// Frees a document as soon as no question uses it.
    void release(Prefix prefix) {
        loop.between(() -> scheduler.prefixes().release(prefix));
    }

    /// Answers one turn of a conversation. Changes nothing if it throws before the turn begins.
    ///
    /// @param history tokens before this turn
    /// @param held the conversation's cache, or null before the first turn
    /// @param begins receives the sequence before it runs
    Completion turn(
            Request request, int[] history, int capacity, @Nullable SequenceCache held, Consumer<Sequence> begins) {
        loop.checkAvailable();
        model.limits().checkConversation(request, history.length, capacity);
        EventQueue events = new EventQueue();
        Generation generation = heardByCaller(request, events);
        // A conversation stays open at the same time as others, so it gets one share of a full
        // batch.
        PlannedSequence planned = planner.sequence(capacity, options.maxBatch());
        Sequence sequence = new Sequence(model.text(), request, history, planned, held, sink(generation));
        sequence.keepCache();
        begins.accept(sequence);
        return await(List.of(generation), List.of(submission(generation, sequence)), events)
                .getFirst();
    }

    /// @throws io.shadowkv.engine.EngineUnavailableException if the engine does not take requests
    void checkAvailable() {
        loop.checkAvailable();
    }

    /// Frees the cache of a conversation.
    void free(SequenceCache cache) {
        loop.between(() -> scheduler.ledger().free(cache));
    }

    /// @param together number of sequences that should share the memory
    private Sequence prepare(Request request, int together, SequenceEvents events) {
        int capacity = model.limits().capacityOf(request);
        planner.checkFits(capacity, 1);
        PlannedSequence planned = planner.growing(request.promptIds().length, capacity, together);
        return new Sequence(model.text(), request, new int[0], planned, null, events);
    }

    private Generation heardByCaller(Request request, EventQueue events) {
        Generation generation = new Generation(request, loop, events, 1, model.text()::explained);
        generation.consumedByListener();
        return generation;
    }

    private static SequenceEvents sink(Generation generation) {
        return generation.sink(
                !GenerationListener.SILENT.equals(generation.request().listener()));
    }

    private Submission submission(Generation generation, Sequence sequence) {
        return new Submission(generation, () -> scheduler.submit(sequence));
    }

    private List<Completion> await(List<Generation> generations, List<Submission> submissions, EventQueue events) {
        loop.submit(submissions, false);
        new ListenerDelivery(events, generations).run();
        List<Completion> completions = new ArrayList<>();
        for (Generation generation : generations) {
            RuntimeException failure = generation.failure();
            if (failure != null) {
                throw model.text().explained(failure);
            }
            completions.add(Objects.requireNonNull(generation.result()));
        }
        return completions;
    }
}
