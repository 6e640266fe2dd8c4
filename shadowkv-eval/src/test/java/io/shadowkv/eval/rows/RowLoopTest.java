package io.shadowkv.eval.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.worker.WorkerCommand;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Lines in, lines out, with an answerer that is told what to do.
class RowLoopTest {
    private static final String ROWS = """
            {"key":"a","document":"d","question":"q1"}

            {"key":2,"question":"q2","options":{"seed":1}}
            """;

    @TempDir
    Path folder;

    private final List<String> out = new ArrayList<>();
    private final List<RowQuestion> asked = new ArrayList<>();

    private static InputStream input(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    /// What an answerer does with a row.
    private interface Act {
        void answer(RowQuestion row, RowAnswerer.Listener listener);
    }

    private RowAnswerer answerer(Act act) {
        return new RowAnswerer() {
            @Override
            public void ask(RowQuestion row, Listener listener) {
                asked.add(row);
                act.answer(row, listener);
            }

            @Override
            public void awaitAnswers() {}

            @Override
            public void close() {}
        };
    }

    private static void answer(RowQuestion row, RowAnswerer.Listener listener) {
        listener.answered(new RowAnswer(row.key(), row.question() + "!", null, "stop", 3, 2, 1));
    }

    @Test
    void everyRowHasALine() {
        RowLoop.Summary summary = RowLoop.of(input(ROWS), () -> false).run(answerer(RowLoopTest::answer), out::add);
        assertThat(summary).isEqualTo(new RowLoop.Summary(2, 0));
        assertThat(asked)
                .containsExactly(
                        new RowQuestion("\"a\"", "d", "q1", null), new RowQuestion("2", "d", "q2", "{\"seed\":1}"));
        assertThat(out)
                .containsExactly(
                        "{\"key\":\"a\",\"answer\":\"q1!\",\"finish\":\"stop\",\"prompt_tokens\":3,"
                                + "\"cached_tokens\":2,\"new_tokens\":1}",
                        "{\"key\":2,\"answer\":\"q2!\",\"finish\":\"stop\",\"prompt_tokens\":3,"
                                + "\"cached_tokens\":2,\"new_tokens\":1}");
    }

    @Test
    void aBrokenAnswererOrACancellationEndsTheLoop() {
        var reason = new IllegalStateException("the device is gone");
        assertThatThrownBy(() -> RowLoop.of(input(ROWS), () -> false)
                        .run(answerer((_, listener) -> listener.broken(reason)), out::add))
                .isSameAs(reason);
        assertThatThrownBy(() -> RowLoop.of(input(ROWS), () -> true).run(answerer((_, _) -> {}), out::add))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("interrupted");
        assertThatThrownBy(() -> RowLoop.of(new ByteArrayInputStream(new byte[] {'\n', (byte) 0xff}), () -> false)
                        .run(answerer((_, _) -> {}), out::add))
                .hasMessageContaining("the rows are not UTF-8 text");
    }

    /// A worker that is asked nothing says that it is alive, and the end of its input ends it.
    @Test
    void aWorkerStopsWhenItsInputEnds() throws Exception {
        var pipe = new PipedOutputStream();
        var input = new PipedInputStream(pipe);
        var over = new CountDownLatch(1);
        var alive = new Semaphore(0);
        RowLoop loop = RowLoop.worker(input, over::countDown, Duration.ofMillis(1));
        Thread closer = Thread.ofVirtual().start(() -> {
            try {
                alive.acquire();
                pipe.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        loop.run(answerer((_, _) -> {}), line -> {
            out.add(line);
            if (line.equals("{\"alive\":true}")) {
                alive.release();
            }
        });
        closer.join();
        over.await();
        assertThat(out).startsWith("{\"ready\":1}", "{\"alive\":true}");
    }

    @Test
    void optionsHaveTheNamesOfTheApi() {
        GenerationOptions options = RowOptions.apply(GenerationOptions.DEFAULT, """
                {"max_tokens": 7, "min_tokens": 2, "temperature": 0.5, "top_k": 4, "top_p": 0.9, "min_p": 0.1,
                 "repetition_penalty": 1.1, "presence_penalty": 0.2, "frequency_penalty": 0.3, "seed": 9,
                 "stop": ["a", "b"], "ignore_eos": true}""");
        assertThat(options.maxNewTokens()).isEqualTo(7);
        assertThat(options.minNewTokens()).isEqualTo(2);
        assertThat(options.stopStrings()).containsExactly("a", "b");
        assertThat(options.ignoreEos()).isTrue();
        var sampling = options.sampling();
        assertThat(List.of(sampling.temperature(), sampling.topP(), sampling.minP()))
                .containsExactly(0.5, 0.9, 0.1);
        assertThat(List.of(sampling.repetitionPenalty(), sampling.presencePenalty(), sampling.frequencyPenalty()))
                .containsExactly(1.1, 0.2, 0.3);
        assertThat(sampling.topK()).isEqualTo(4);
        assertThat(sampling.seed()).isEqualTo(9);
        assertThat(RowOptions.apply(options, "{\"stop\": \"c\", \"seed\": null}"))
                .isEqualTo(options.withStopStrings(List.of("c")));
        for (String wrong :
                List.of("{\"top_k\": 1.5}", "{\"stop\": 3}", "{\"seed\": \"x\"}", "[1]", "{", "{\"n\": 2}")) {
            assertThatThrownBy(() -> RowOptions.apply(options, wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("option");
        }
    }

    @Test
    void aWorkerOfAnotherKindOrVersionIsRefused() throws Exception {
        assertThatThrownBy(() -> start("echo hello"))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("worker began with \"hello\"");
        assertThatThrownBy(() -> start("echo '{\"alive\":true}'; echo '{\"ready\":9}'"))
                .hasMessageContaining("uses version 9 of the protocol, this run uses version 1");
        assertThatThrownBy(() -> start("echo why >&2; exit 4"))
                .hasMessageContaining("worker ended with exit code 4; its last output:\n  why");
        Path rows = folder.resolve("rows");
        try (RowWorker worker = start("echo '{\"ready\":1}'; cat > " + rows)) {
            worker.ask(new RowQuestion("0", "long", "q1", null));
            worker.ask(new RowQuestion("1", "long", "q2", null));
            worker.ask(new RowQuestion("2", "other", "q3", null));
        }
        assertThat(Files.readAllLines(rows))
                .as("the text of a document is sent once")
                .containsExactly(
                        "{\"key\":0,\"document\":\"long\",\"question\":\"q1\"}",
                        "{\"key\":1,\"question\":\"q2\"}",
                        "{\"key\":2,\"document\":\"other\",\"question\":\"q3\"}");
    }

    private static RowWorker start(String script) {
        var command = new WorkerCommand("worker", List.of("sh", "-c", script), Duration.ofSeconds(30));
        return RowWorker.start(command, _ -> {}, () -> false);
    }
}
