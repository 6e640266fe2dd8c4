package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.AnswerSink;
import io.shadowkv.cli.bench.load.LoadDocument;
import io.shadowkv.cli.bench.load.LoadFailure;
import io.shadowkv.cli.bench.load.LoadRequest;
import io.shadowkv.cli.bench.load.LoadTarget;
import io.shadowkv.cli.bench.load.PromptText;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/// The bare engine, to measure what the server adds. Thread-safe.
final class EngineTarget implements LoadTarget {
    private final Engine engine;
    private final Map<LoadDocument, Document> documents = new ConcurrentHashMap<>();

    EngineTarget(Engine engine) {
        this.engine = engine;
    }

    @Override
    public void answer(LoadRequest request, AnswerSink sink) throws InterruptedException {
        GenerationOptions options = GenerationOptions.DEFAULT
                .withMaxNewTokens(request.answerTokens())
                .withIgnoreEos(true);
        Generation generation = null;
        try {
            generation = engine.submit(Request.of(prompt(request), options));
            for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
                switch (events.next()) {
                    case GenerationEvent.Reading reading -> {}
                    case GenerationEvent.Token token -> sink.arrived();
                    case GenerationEvent.Ended ended -> counted(ended.completion(), sink);
                }
            }
        } catch (CancellationException e) {
            if (generation != null) {
                generation.cancel();
            }
            throw interrupted(e);
        } catch (RuntimeException e) {
            throw failure(e);
        }
    }

    private static void counted(Completion completion, AnswerSink sink) {
        sink.counted(completion.promptTokens(), completion.cachedTokens(), completion.ids().length);
    }

    private static int[] prompt(LoadRequest request) {
        LoadDocument document = request.document();
        IntStream own = Arrays.stream(ids(request.text()));
        return document == null
                ? own.toArray()
                : IntStream.concat(Arrays.stream(ids(document.text())), own).toArray();
    }

    private static int[] ids(PromptText text) {
        if (text instanceof PromptText.Ids ids) {
            return ids.ids();
        }
        throw new IllegalArgumentException("the bare engine takes token ids; give --prompts ids");
    }

    @Override
    public void read(LoadDocument document) throws InterruptedException {
        try {
            documents.put(document, engine.read(Request.of(ids(document.text()), GenerationOptions.DEFAULT)));
        } catch (CancellationException e) {
            throw interrupted(e);
        } catch (RuntimeException e) {
            throw failure(e);
        }
    }

    @Override
    public void forget(LoadDocument document) {
        Document read = documents.remove(document);
        if (read != null) {
            read.close();
        }
    }

    private static InterruptedException interrupted(CancellationException cause) {
        // The interrupt becomes an exception.
        boolean _ = Thread.interrupted();
        InterruptedException interrupted = new InterruptedException("the run ends");
        interrupted.initCause(cause);
        return interrupted;
    }

    private static LoadFailure failure(RuntimeException cause) {
        return new LoadFailure(cause.getClass().getSimpleName(), String.valueOf(cause.getMessage()), cause);
    }
}
