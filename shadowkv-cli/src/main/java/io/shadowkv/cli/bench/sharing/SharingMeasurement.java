package io.shadowkv.cli.bench.sharing;

import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import io.shadowkv.sampling.SamplingOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// Measures one engine with several callers. All answers have the same number of tokens.
final class SharingMeasurement {
    private final Engine engine;
    private final int tokens;
    private final int batch;
    private final int steps;
    private final int question;
    private final int turn;
    private final SplittableRandom random;
    private final Cancellation cancellation;

    /// @param tokens of the document
    /// @param steps tokens of each answer
    /// @param question tokens of a short question
    /// @param turn tokens of a long question
    SharingMeasurement(
            Engine engine,
            int tokens,
            int batch,
            int steps,
            int question,
            int turn,
            long seed,
            Cancellation cancellation) {
        this.engine = engine;
        this.tokens = tokens;
        this.batch = batch;
        this.steps = steps;
        this.question = question;
        this.turn = turn;
        this.random = new SplittableRandom(seed);
        this.cancellation = cancellation;
    }

    /// @param hitRate of a synthetic selection; NaN for the model's own
    /// @param saveFolder where the document is saved for a moment; null to leave that out
    /// @throws CancellationException if it was cancelled
    SharingResult run(double hitRate, @Nullable Path saveFolder) {
        GenerationOptions greedy =
                GenerationOptions.DEFAULT.withMaxNewTokens(steps).withIgnoreEos(true);
        SamplingOptions sampling = SamplingOptions.DEFAULT.withTemperature(0.7).withTopP(0.9);
        GenerationOptions drawn = greedy.withTopLogprobs(5).withSampling(sampling);
        // Random weights give nearly equal logits, so that top-p alone keeps most of the vocabulary.
        GenerationOptions topK = greedy.withTopLogprobs(5).withSampling(sampling.withTopK(64));
        warmUp(greedy, drawn);
        engine.forceHitRate(hitRate);
        long start = System.nanoTime();
        try (Document document = engine.read(Request.of(ids(tokens), greedy).withCancellation(cancellation))) {
            double read = seconds(start);
            double[] first = new double[5];
            for (int i = 0; i < first.length; i++) {
                first[i] = firstToken(document, question);
            }
            double longTurn = firstToken(document, turn);
            SharingResult.Together together = together(document);
            long[] plain = gaps(document, greedy);
            long[] sampled = gaps(document, drawn);
            long[] kept = gaps(document, topK);
            long[] again = gaps(document, greedy);
            double[] reading = new double[1];
            long[] disturbed = gapsWhileReading(document, reading);
            long[] mixed = mixedGaps(document, greedy);
            SharingResult.Saved saved = saveFolder == null ? null : saved(document, saveFolder);
            return new SharingResult(
                    tokens,
                    batch,
                    steps,
                    question,
                    turn,
                    read,
                    median(first),
                    longTurn,
                    together,
                    merged(plain, again),
                    sampled,
                    kept,
                    disturbed,
                    reading[0],
                    mixed,
                    saved);
        }
    }

    /// Everything that is compiled or tuned at first use.
    private void warmUp(GenerationOptions greedy, GenerationOptions drawn) {
        try (Document small = engine.read(Request.of(ids(Math.min(tokens, 8192)), greedy))) {
            gaps(small, greedy);
            gaps(small, drawn);
            // Not longer than what is decoded after a document of this length.
            firstToken(small, Math.max(1, Math.min(turn, small.length() / 64)));
        }
    }

    private double firstToken(Document document, int questionTokens) {
        long start = System.nanoTime();
        Generation generation = document.ask(Request.of(
                ids(questionTokens),
                GenerationOptions.DEFAULT.withMaxNewTokens(1).withIgnoreEos(true)));
        Completion answer = generation.join();
        if (answer.cachedTokens() != document.length()) {
            throw new IllegalStateException("the question read " + (document.length() - answer.cachedTokens())
                    + " tokens of the document again; its measurement would say nothing");
        }
        return seconds(start);
    }

    /// Asks `batch` questions at once, after one round of them that is not counted.
    private SharingResult.Together together(Document document) {
        SharingResult.Together last = null;
        for (int i = 0; i < 2; i++) {
            last = questions(document);
        }
        return Objects.requireNonNull(last);
    }

    private SharingResult.Together questions(Document document) {
        GenerationOptions one = GenerationOptions.DEFAULT.withMaxNewTokens(1).withIgnoreEos(true);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            requests.add(Request.of(ids(question), one));
        }
        long start = System.nanoTime();
        List<CompletableFuture<Double>> times = requests.stream()
                .map(request -> document.ask(request)
                        .completion()
                        .thenApply(answer -> seconds(start))
                        .toCompletableFuture())
                .toList();
        double[] seconds = times.stream().mapToDouble(CompletableFuture::join).toArray();
        return new SharingResult.Together(
                Arrays.stream(seconds).min().orElseThrow(),
                Arrays.stream(seconds).average().orElseThrow(),
                Arrays.stream(seconds).max().orElseThrow());
    }

    /// Nanoseconds between the tokens of each of `batch` answers. The first tokens, while questions are decoded and
    /// sequences join, are left out.
    private long[] gaps(Document document, GenerationOptions options) {
        List<Generation> generations = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            generations.add(document.ask(Request.of(ids(question), options)));
        }
        return gaps(generations);
    }

    private long[] gaps(List<Generation> generations) {
        List<long[]> all = new ArrayList<>();
        try (ExecutorService consumers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<long[]>> times = new ArrayList<>();
            for (Generation generation : generations) {
                times.add(consumers.submit(() -> times(generation)));
            }
            for (Future<long[]> future : times) {
                long[] at = future.get();
                for (int i = at.length / 4; i + 1 < at.length; i++) {
                    all.add(new long[] {at[i + 1] - at[i]});
                }
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("an answer failed", e);
        }
        if (cancellation.isRequested()) {
            throw new CancellationException("interrupted");
        }
        return all.stream().mapToLong(gap -> gap[0]).toArray();
    }

    private static long[] times(Generation generation) {
        LongStream.Builder times = LongStream.builder();
        for (Iterator<GenerationEvent> events = generation.events(); events.hasNext(); ) {
            if (events.next() instanceof GenerationEvent.Token) {
                times.add(System.nanoTime());
            }
        }
        return times.build().toArray();
    }

    /// The same batch, and a prompt as long as the document that is read at the same time.
    ///
    /// @param seconds receives how long that prompt was read
    private long[] gapsWhileReading(Document document, double[] seconds) {
        Cancellation ends = new Cancellation();
        GenerationOptions endless =
                GenerationOptions.DEFAULT.withMaxNewTokens(4 * steps + 2000).withIgnoreEos(true);
        List<Generation> generations = new ArrayList<>();
        for (int i = 0; i < batch; i++) {
            generations.add(document.ask(Request.of(ids(question), endless).withCancellation(ends)));
        }
        try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<long[]> gaps = readers.submit(() -> gaps(generations));
            long start = System.nanoTime();
            engine.read(Request.of(ids(tokens), endless).withCancellation(cancellation))
                    .close();
            seconds[0] = seconds(start);
            ends.cancel();
            return gaps.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("the measurement of a reading failed", e);
        }
    }

    /// Half the batch about the document, half about one of a fifteenth of its length.
    private long[] mixedGaps(Document document, GenerationOptions options) {
        try (Document small = engine.read(Request.of(ids(Math.max(1, tokens / 15)), options))) {
            List<Generation> generations = new ArrayList<>();
            for (int i = 0; i < batch; i++) {
                generations.add((i % 2 == 0 ? document : small).ask(Request.of(ids(question), options)));
            }
            return gaps(generations);
        }
    }

    /// Saves the document, opens it next to the original, and asks a question.
    private SharingResult.Saved saved(Document document, Path folder) {
        try {
            Files.createDirectories(folder);
            Path file = Files.createTempFile(folder, "document", ".safetensors");
            try {
                long start = System.nanoTime();
                document.save(file);
                double save = seconds(start);
                document.close();
                long bytes = Files.size(file);
                long opening = System.nanoTime();
                try (Document opened = engine.openDocument(file)) {
                    double open = seconds(opening);
                    firstToken(opened, question);
                    return new SharingResult.Saved(bytes, save, open, seconds(opening));
                }
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int[] ids(int count) {
        return random.ints(count, 0, engine.spec().vocabularySize()).toArray();
    }

    private static long[] merged(long[] first, long[] second) {
        return LongStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
