package io.shadowkv.eval.rows;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads rows, asks them, and writes the answers as they come.
///
/// One thread reads, one asks, and the caller's thread writes.
public final class RowLoop {
    /// The version of the lines between a worker and the process that started it.
    static final int PROTOCOL = 1;

    private static final int READ_AHEAD = 16;
    private static final Duration LOOK = Duration.ofMillis(50);
    private static final Duration USUAL_BEAT = Duration.ofSeconds(10);

    private final InputStream in;
    private final BlockingQueue<Optional<RowQuestion>> rows;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final BooleanSupplier isCancelled;
    private final @Nullable Runnable whenOver;
    private final Duration beat;

    /// What the writing thread is told.
    private sealed interface Event {}

    private record Answered(RowAnswer answer) implements Event {}

    private record Failed(Throwable reason) implements Event {}

    private record Ended() implements Event {}

    /// How many rows have been answered.
    ///
    /// @param answers number of rows with an answer
    /// @param errors number of rows with an error
    public record Summary(int answers, int errors) {}

    /// A loop that answers everything that it reads.
    ///
    /// @param isCancelled if true, the loop ends with a [CancellationException]
    public static RowLoop of(InputStream in, BooleanSupplier isCancelled) {
        return new RowLoop(in, new LinkedBlockingQueue<>(READ_AHEAD), isCancelled, null, USUAL_BEAT);
    }

    /// The loop of a worker: says that it is ready and alive, and stops when its input ends, because
    /// nobody waits for its answers any more.
    ///
    /// @param whenOver called on another thread when the input has ended
    public static RowLoop worker(InputStream in, Runnable whenOver) {
        return worker(in, whenOver, USUAL_BEAT);
    }

    static RowLoop worker(InputStream in, Runnable whenOver, Duration beat) {
        return new RowLoop(in, new LinkedBlockingQueue<>(), () -> false, whenOver, beat);
    }

    private RowLoop(
            InputStream in,
            BlockingQueue<Optional<RowQuestion>> rows,
            BooleanSupplier isCancelled,
            @Nullable Runnable whenOver,
            Duration beat) {
        this.in = in;
        this.rows = rows;
        this.isCancelled = isCancelled;
        this.whenOver = whenOver;
        this.beat = beat;
    }

    /// Runs until all rows are answered or, in a worker, the input ends.
    ///
    /// @param out receives each line, on the caller's thread
    /// @throws IllegalArgumentException if a line is not a row; earlier rows may have been answered
    /// @throws UncheckedIOException if the input cannot be read
    /// @throws CancellationException if the run was cancelled
    /// @throws RuntimeException what broke the answerer
    public Summary run(RowAnswerer answerer, Consumer<String> out) {
        Thread reader = Thread.ofPlatform().name("rows-input").daemon().unstarted(this::read);
        Thread asker = Thread.ofPlatform().name("rows-asker").daemon().unstarted(() -> ask(answerer));
        try {
            if (whenOver != null) {
                out.accept(RowJson.ready(PROTOCOL));
            }
            reader.start();
            asker.start();
            return write(out);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (CancellationException) new CancellationException("interrupted").initCause(e);
        } finally {
            reader.interrupt();
            asker.interrupt();
        }
    }

    private Summary write(Consumer<String> out) throws InterruptedException {
        int answers = 0;
        int errors = 0;
        long spoken = System.nanoTime();
        while (true) {
            Event event = events.poll(LOOK.toNanos(), TimeUnit.NANOSECONDS);
            if (isCancelled.getAsBoolean()) {
                throw new CancellationException(
                        "interrupted; " + answers + " rows were answered, " + errors + " had an error");
            }
            switch (event) {
                case Answered(RowAnswer answer) -> {
                    out.accept(RowJson.line(answer));
                    answers += answer.error() == null ? 1 : 0;
                    errors += answer.error() == null ? 0 : 1;
                    spoken = System.nanoTime();
                }
                case Failed(Error reason) -> throw reason;
                case Failed(RuntimeException reason) -> throw reason;
                case Failed(Throwable reason) -> throw new IllegalStateException(reason);
                case Ended _ -> {
                    return new Summary(answers, errors);
                }
                case null -> {
                    if (whenOver != null && System.nanoTime() - spoken >= beat.toNanos()) {
                        out.accept("{\"alive\":true}");
                        spoken = System.nanoTime();
                    }
                }
            }
        }
    }

    private void read() {
        long number = 0;
        String document = null;
        try {
            var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                if (!line.isBlank()) {
                    RowQuestion row = RowJson.question(line, document);
                    document = row.document();
                    rows.put(Optional.of(row));
                }
            }
            if (whenOver != null) {
                whenOver.run();
                events.add(new Ended());
            }
            rows.put(Optional.empty());
        } catch (IllegalArgumentException e) {
            events.add(new Failed(new IllegalArgumentException("line " + number + ": " + e.getMessage(), e)));
        } catch (CharacterCodingException e) {
            events.add(new Failed(new IllegalArgumentException(
                    "the rows are not UTF-8 text behind line " + number + "; convert them to UTF-8 first", e)));
        } catch (IOException e) {
            events.add(new Failed(new UncheckedIOException(e)));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            events.add(new Failed(e));
        }
    }

    private void ask(RowAnswerer answerer) {
        var listener = new RowAnswerer.Listener() {
            @Override
            public void answered(RowAnswer answer) {
                events.add(new Answered(answer));
            }

            @Override
            public void broken(RuntimeException reason) {
                events.add(new Failed(reason));
            }
        };
        try {
            for (Optional<RowQuestion> row = rows.take(); row.isPresent(); row = rows.take()) {
                answerer.ask(row.get(), listener);
            }
            answerer.awaitAnswers();
            events.add(new Ended());
        } catch (CancellationException _) {
            // The writing thread knows, or the input has ended.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            events.add(new Failed(e));
        }
    }
}
