package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.OpenItem;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;

/// The worker's part: reads requests from a stream, passes them to an examiner, and writes the
/// answers to another stream.
///
/// ```
/// var loop = new WorkerLoop(System.in, WorkerLoop.takeStandardOutput());
/// try (Examiner examiner = open(..., loop::isOver)) {
///     loop.serve(new Ready(model, backend, kvType), examiner);
/// }
/// ```
///
/// One thread of its own reads the input and ends with it; another one regularly sends that the
/// worker is alive. All methods are for one thread, unless stated otherwise.
public final class WorkerLoop {
    private static final double REPORTED_STEP = 0.01;
    private static final Duration USUAL_BEAT = Duration.ofSeconds(10);

    private final OutputStream out;
    private final BlockingQueue<Optional<String>> requests = new LinkedBlockingQueue<>();
    private final Runnable whenOver;
    private final Duration beat;
    private volatile boolean isOver;

    /// Creates a loop.
    ///
    /// @param in the requests; its end ends the loop
    /// @param out for answers; no other code may write to it
    public WorkerLoop(InputStream in, OutputStream out) {
        this(in, out, () -> {}, USUAL_BEAT);
    }

    /// Creates a loop.
    ///
    /// @param in the requests; its end ends the loop
    /// @param out for answers; no other code may write to it
    /// @param whenOver called on another thread as soon as the run has ended, to end the current
    ///     answer
    public WorkerLoop(InputStream in, OutputStream out, Runnable whenOver) {
        this(in, out, whenOver, USUAL_BEAT);
    }

    /// Creates a loop.
    ///
    /// @param beat interval of `alive` messages
    WorkerLoop(InputStream in, OutputStream out, Runnable whenOver, Duration beat) {
        this.out = out;
        this.whenOver = whenOver;
        this.beat = beat;
        Thread.ofPlatform().name("worker-input").daemon().start(() -> read(in));
    }

    /// Takes standard output for a loop alone: from then on, prints to it go to standard error.
    public static OutputStream takeStandardOutput() {
        System.out.flush();
        System.setOut(System.err);
        return new FileOutputStream(FileDescriptor.out);
    }

    /// True if the run has ended: an examiner that checks this ends soon. Thread-safe.
    public boolean isOver() {
        return isOver;
    }

    private void read(InputStream in) {
        var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        try {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                requests.add(Optional.of(line));
            }
        } catch (IOException _) {
            // A broken pipe is the end of the input too.
        } finally {
            isOver = true;
            whenOver.run();
            requests.add(Optional.empty());
        }
    }

    /// Sends that the worker is ready, then answers until the input ends.
    ///
    /// @throws IOException if a request is not a message of this version
    public void serve(Ready ready, Examiner examiner) throws IOException {
        Thread alive = Thread.ofPlatform().name("worker-alive").daemon().unstarted(this::sendAlive);
        try {
            send(new WorkerMessages.Started(ready));
            alive.start();
            for (Optional<String> line = requests.take(); line.isPresent(); line = requests.take()) {
                WorkerMessages.Message request = WorkerMessages.parse(line.get());
                if (!(request instanceof WorkerMessages.Ask ask)) {
                    throw new IOException("a worker received \"" + request.kind() + "\"; it accepts only \"ask\"");
                }
                send(reply(ask.content(), examiner));
            }
        } catch (CancellationException _) {
            // The run has ended.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            alive.interrupt();
        }
    }

    private void sendAlive() {
        try {
            while (true) {
                Thread.sleep(beat);
                send(new WorkerMessages.Alive(true));
            }
        } catch (InterruptedException | CancellationException _) {
            // The loop or the run has ended.
        }
    }

    private WorkerMessages.Message reply(List<OpenItem> asked, Examiner examiner) {
        try {
            Map<Item, Set<Method>> methods = new HashMap<>();
            asked.forEach(open -> methods.put(open.item(), new HashSet<>(open.methods())));
            List<AnswerRecord> answers = examiner.examine(
                    asked.stream().map(OpenItem::item).toList(),
                    key -> methods.getOrDefault(new Item(key.task(), key.index()), Set.of())
                            .contains(key.method()),
                    new Reporter());
            return new WorkerMessages.Answers(answers);
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException e) {
            Item refused = e instanceof SampleRefusal refusal ? refusal.item() : null;
            return new WorkerMessages.Failed(new Fault(text(e), e instanceof IllegalArgumentException, refused));
        }
    }

    private static String text(RuntimeException e) {
        String message = e.getMessage();
        return message == null || message.isBlank() ? e.toString() : message;
    }

    private synchronized void send(WorkerMessages.Message message) {
        try {
            out.write((WorkerMessages.line(message) + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            isOver = true;
            throw (CancellationException) new CancellationException("the run has ended").initCause(e);
        }
    }

    /// Reports the progress of the prefill in steps of one percent.
    private final class Reporter implements Examiner.Listener {
        private double reported;

        @Override
        public void reading(double done) {
            if (done - reported >= REPORTED_STEP) {
                reported = done;
                send(new WorkerMessages.Reading(done));
            }
        }
    }
}
