package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Documents and kept prompts: what was read is not read again, and the answers are those of the whole prompt.
public abstract class DocumentLaws extends BackendLaws {
    private static final int VOCABULARY = 64;

    private static final int[] TEXT = Logits.ids(200, VOCABULARY, 1);

    private static final int[] QUESTION = Logits.ids(3, VOCABULARY, 2);

    private static final GenerationOptions FIVE =
            GenerationOptions.DEFAULT.withMaxNewTokens(5).withIgnoreEos(true);

    protected DocumentLaws(BackendUnderTest tested) {
        super(tested);
    }

    static List<KvCacheSpec> strategies() {
        return List.of(new KvCacheSpec.Full(), NARROW, KvCacheSpec.Shadow.DEFAULT);
    }

    private Engine open(EngineOptions options) {
        return Engine.open(checkpoint(RandomCheckpoint.SMALL), backend(), options);
    }

    private static int[] join(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    /// A document's memory is what the engine holds for it, also after it was saved and opened.
    @ParameterizedTest
    @MethodSource("strategies")
    void memoryInUseIsThatOfTheDocuments(KvCacheSpec spec) throws IOException {
        Path folder = Files.createTempDirectory("document");
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec).withKeptPrompts(0))) {
            assertThat(engine.memoryInUse().share()).isZero();
            Document document = engine.read(Request.of(TEXT, FIVE));
            assertThat(document.bytes()).isPositive().isEqualTo(held(engine));
            assertThat(engine.memoryInUse().share()).isBetween(Double.MIN_VALUE, 1.0);
            document.save(folder.resolve("file"));
            Document opened = engine.openDocument(folder.resolve("file"));
            assertThat(opened.bytes()).isEqualTo(document.bytes());
            assertThat(held(engine)).isEqualTo(2 * document.bytes());
            opened.close();
            document.close();
            assertThat(held(engine)).isZero();
            assertThat(engine.busyTime()).isLessThan(Duration.ofMinutes(1));
        } finally {
            Files.deleteIfExists(folder.resolve("file"));
            Files.delete(folder);
        }
    }

    /// A question that shares the document's memory adds only its own tokens.
    @ParameterizedTest
    @MethodSource("strategies")
    void tokensInUseAreCountedOnce(KvCacheSpec spec) {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec).withKeptPrompts(0))) {
            assertThat(engine.memoryInUse().tokens()).isZero();
            Document document = engine.read(Request.of(TEXT, FIVE));
            assertThat(engine.memoryInUse().tokens()).isEqualTo(TEXT.length);
            List<Long> during = new ArrayList<>();
            engine.complete(Request.of(join(TEXT, QUESTION), FIVE).withListener(new GenerationListener() {
                @Override
                public void token(int id, String text) {
                    during.add(engine.memoryInUse().tokens());
                }
            }));
            int own = QUESTION.length + FIVE.maxNewTokens();
            // A document that is kept whole is copied.
            int copied = spec.equals(NARROW) ? 0 : TEXT.length;
            assertThat(during.getFirst()).isEqualTo(TEXT.length + copied + own);
            document.close();
            assertThat(engine.memoryInUse().tokens()).isZero();
        }
    }

    private static long held(Engine engine) {
        return engine.memoryInUse().deviceBytes() + engine.memoryInUse().hostBytes();
    }

    /// Questions at the same time, through the document and as whole prompts: each has its own answer, and none reads
    /// the
    /// document.
    @ParameterizedTest
    @MethodSource("strategies")
    void questionsShareADocument(KvCacheSpec spec) {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec))) {
            List<int[]> questions = new ArrayList<>();
            List<int[]> expected = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int[] question = Logits.ids(1 + i, VOCABULARY, 10 + i);
                questions.add(question);
                expected.add(
                        engine.complete(Request.of(join(TEXT, question), FIVE)).ids());
            }
            Document document = engine.read(Request.of(TEXT, FIVE));
            assertThat(document.length()).isEqualTo(200);
            Heard heard = new Heard();
            List<Generation> generations = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                generations.add(
                        i % 2 == 0
                                ? document.ask(
                                        Request.of(questions.get(i), FIVE).withListener(heard))
                                : engine.submit(Request.of(join(TEXT, questions.get(i)), FIVE)));
            }
            for (int i = 0; i < 4; i++) {
                Completion answer = generations.get(i).join();
                assertThat(answer.cachedTokens()).isEqualTo(200);
                assertThat(answer.promptTokens()).isEqualTo(201 + i);
                if (spec instanceof KvCacheSpec.Full || spec.equals(KvCacheSpec.Shadow.DEFAULT)) {
                    assertThat(answer.ids()).as("question " + i).isEqualTo(expected.get(i));
                }
                assertThat(answer.cache().measured().resident())
                        .isEqualTo(answer.cache().planned().resident());
            }
            assertThat(heard.shares).as("pieces of prefill").isEmpty();
            // The document alone: its next token is known from its reading.
            Completion alone = engine.complete(Request.of(TEXT, FIVE));
            assertThat(alone.cachedTokens()).isEqualTo(200);
            document.close();
            assertThat(document.isHeld()).isFalse();
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
            Completion again = engine.complete(Request.of(TEXT, FIVE));
            assertThat(again.cachedTokens()).isZero();
            assertThat(again.ids()[0]).isEqualTo(alone.ids()[0]);
        }
    }

    /// Under ShadowKV a question decodes as the next turn of a conversation about the document does.
    @Test
    void aQuestionIsATurn() {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(NARROW));
                Document document = engine.read(Request.of(TEXT, FIVE));
                StepBench bench = bench(checkpoint(RandomCheckpoint.SMALL), NARROW)) {
            int[] answer = document.ask(Request.of(QUESTION, FIVE)).join().ids();
            bench.read(0, TEXT, 400);
            float[] logits = bench.feed(0, QUESTION);
            for (int id : answer) {
                assertThat(id).isEqualTo(io.shadowkv.sampling.Sampler.argmax(logits));
                logits = bench.feed(0, id);
            }
        }
    }

    /// A document that is closed while a question runs is freed after the question has ended.
    @Test
    void aDocumentOutlivesItsQuestions() {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(NARROW))) {
            Document document = engine.read(Request.of(TEXT, FIVE));
            Generation running = document.ask(Request.of(QUESTION, FIVE.withMaxNewTokens(500)));
            var events = running.events();
            events.next();
            document.close();
            assertThat(document.isHeld()).isTrue();
            assertThat(running.join().ids()).hasSize(500);
            assertThat(engine.complete(Request.of(join(TEXT, QUESTION), FIVE)).cachedTokens())
                    .isZero();
            assertThat(document.isHeld()).isFalse();
        }
    }

    /// The rotary tables grow in units of 4,096 positions; a question may be the first to need the next unit.
    @Test
    void aQuestionReachesBeyondTheTables() {
        RandomCheckpoint shape = new RandomCheckpoint("llama", 1, 2, 1, 16, VOCABULARY, 5000, "");
        try (Engine engine = Engine.open(checkpoint(shape), backend(), EngineOptions.DEFAULT.withCache(NARROW));
                Document document = engine.read(Request.of(Logits.ids(4096, VOCABULARY, 1), FIVE))) {
            Completion answer = document.ask(Request.of(QUESTION, FIVE)).join();
            assertThat(answer.cachedTokens()).isEqualTo(4096);
            assertThat(answer.ids()).hasSize(5);
        }
    }

    @Test
    void aReadingThatEndsEarlySaysSo() {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(NARROW).withPrefillRows(4))) {
            Cancellation cancellation = new Cancellation();
            GenerationListener cancelling = new GenerationListener() {
                @Override
                public void reading(double done) {
                    cancellation.cancel();
                }
            };
            assertThatExceptionOfType(CancellationException.class)
                    .isThrownBy(() -> engine.read(
                            Request.of(TEXT, FIVE).withListener(cancelling).withCancellation(cancellation)))
                    .withMessageContaining("a document of 200 tokens ended early: CANCELLED");
            assertThatExceptionOfType(ContextLengthException.class)
                    .isThrownBy(() -> engine.read(Request.of(new int[4096], FIVE)))
                    .withMessageContaining("leaves no room for a question");
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
        }
    }

    /// Turns sent as ever longer prompts, as clients of a server do: only the new tokens are decoded.
    @ParameterizedTest
    @MethodSource("strategies")
    void anEndedSequenceIsContinued(KvCacheSpec spec) {
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec).withKeptPrompts(2));
                Engine fresh = open(EngineOptions.DEFAULT.withCache(spec))) {
            int[] prompt = TEXT;
            int cached = 0;
            for (int turn = 0; turn < 4; turn++) {
                Completion answer = engine.complete(Request.of(prompt, FIVE));
                assertThat(answer.cachedTokens()).as("turn " + turn).isEqualTo(cached);
                if (spec instanceof KvCacheSpec.Full || spec.equals(KvCacheSpec.Shadow.DEFAULT)) {
                    assertThat(answer.ids())
                            .isEqualTo(fresh.complete(Request.of(prompt, FIVE)).ids());
                }
                cached = prompt.length + 4;
                prompt = join(join(prompt, answer.ids()), Logits.ids(6, VOCABULARY, turn));
            }
        }
    }

    /// Questions wait for memory one after the other; none reads the document again because memory is short.
    @Test
    void questionsWaitForMemoryInsteadOfReading() {
        EngineOptions options = EngineOptions.DEFAULT.withCache(NARROW);
        long limit;
        try (Engine probe = open(options);
                Document document = probe.read(Request.of(TEXT, FIVE))) {
            var plan = probe.plan(TEXT.length, 1);
            var fork = document.ask(Request.of(QUESTION, FIVE)).join().cache().planned();
            limit = plan.residentBytes()
                    + plan.offloadedBytes()
                    + probe.plan(TEXT.length + 20, 1).workspaceBytes()
                    + fork.resident() * 3 / 2;
        }
        try (Engine engine = open(options.withMemoryLimits(limit, limit));
                Document document = engine.read(Request.of(TEXT, FIVE))) {
            List<Generation> asked = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                asked.add(document.ask(Request.of(QUESTION, FIVE)));
            }
            for (Generation generation : asked) {
                assertThat(generation.join().cachedTokens()).isEqualTo(TEXT.length);
            }
        }
    }

    /// Kept prompts go where a new one needs the memory, the least recently used first.
    @Test
    void keptPromptsGiveWay() {
        EngineOptions options = EngineOptions.DEFAULT.withCache(NARROW).withKeptPrompts(10);
        long limit;
        try (Engine probe = open(options)) {
            var plan = probe.plan(205, 3);
            limit = plan.residentBytes() + plan.offloadedBytes() + plan.workspaceBytes();
        }
        try (Engine engine = open(options.withMemoryLimits(limit, limit))) {
            for (int i = 0; i < 8; i++) {
                assertThat(engine.complete(Request.of(Logits.ids(200, VOCABULARY, i), FIVE))
                                .ids())
                        .hasSize(5);
            }
            long kept = backend().purposes().stream()
                    .filter(purpose -> purpose.contains("of a sequence of"))
                    .count();
            assertThat(kept).isBetween(1L, 3L);
        }
    }

    /// Saved, the engine closed, opened by another engine: nothing is read again, and the answer is the same.
    @ParameterizedTest
    @MethodSource("strategies")
    void aSavedDocumentIsOpenedWithoutReading(KvCacheSpec spec) {
        Path file = temporary.resolve("document.safetensors");
        int[] expected;
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec));
                Document document = engine.read(Request.of(TEXT, FIVE))) {
            expected = document.ask(Request.of(QUESTION, FIVE)).join().ids();
            Generation running = document.ask(Request.of(QUESTION, FIVE.withMaxNewTokens(300)));
            document.save(file);
            document.save(file);
            assertThat(running.join().ids()).hasSize(300).startsWith(expected);
        }
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(spec))) {
            Document document = engine.openDocument(file);
            assertThat(document.ids()).isEqualTo(TEXT);
            Completion answer = document.ask(Request.of(QUESTION, FIVE)).join();
            assertThat(answer.cachedTokens()).isEqualTo(TEXT.length);
            assertThat(answer.ids()).isEqualTo(expected);
            assertThat(engine.complete(Request.of(TEXT, FIVE)).cachedTokens()).isEqualTo(TEXT.length);
            document.close();
            assertThatIllegalStateException()
                    .isThrownBy(() -> document.save(file))
                    .withMessageContaining("was closed");
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
        }
    }

    /// A file that is damaged, cut short or saved for something else is refused with the reason, and leaves nothing.
    @Test
    void aFileThatDoesNotFitIsRefused() throws IOException {
        Path file = temporary.resolve("document.safetensors");
        Path other = temporary.resolve("other.safetensors");
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(NARROW))) {
            try (Document document = engine.read(Request.of(TEXT, FIVE))) {
                document.save(file);
            }
            byte[] bytes = Files.readAllBytes(file);
            for (int at : new int[] {bytes.length - 1, bytes.length / 2}) {
                byte[] damaged = bytes.clone();
                damaged[at] ^= 4;
                Files.write(other, damaged);
                assertThatExceptionOfType(CheckpointException.class)
                        .isThrownBy(() -> engine.openDocument(other))
                        .withMessageContaining("The file is damaged; read the text again");
            }
            Files.write(other, Arrays.copyOf(bytes, bytes.length - 8));
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> engine.openDocument(other));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.openDocument(
                            checkpoint(RandomCheckpoint.SMALL).resolve("model.safetensors")))
                    .withMessageContaining("not a saved document");
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> engine.openDocument(temporary.resolve("absent")));
            assertThat(backend().purposes()).noneMatch(purpose -> purpose.matches(".*(sequence|prompt) of.*"));
        }
        try (Engine engine = open(EngineOptions.DEFAULT)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.openDocument(file))
                    .withMessageContaining("the document was saved with strategy Shadow");
        }
        PrefillSpec sparse = PrefillSpec.Blocks.DEFAULT.withMinTokens(1000);
        try (Engine engine = open(EngineOptions.DEFAULT.withCache(NARROW).withPrefill(sparse))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> engine.openDocument(file))
                    .withMessageContaining("saved with prefill exact; this engine has blocks from 1000");
        }
    }
}
