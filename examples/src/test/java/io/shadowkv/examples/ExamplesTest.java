package io.shadowkv.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EngineExaminer;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.op.BackendProvider.BackendOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every example runs on the bundled model, asked in the wording that this model was trained on.
class ExamplesTest {
    private static final String MODEL = Path.of("../models/needle-32k").toString();

    private static String question(String name, String number) {
        return text(name, number) + asked(name);
    }

    private static String text(String name, String number) {
        String filling = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n";
        return "A special magic number is hidden within the following text. Make sure to memorize it. I will quiz you about"
                + " the number afterwards.\n" + filling.repeat(3) + "One of the special magic numbers for " + name
                + " is: "
                + number + ".\n" + filling.repeat(3);
    }

    private static String asked(String name) {
        return "What is the special magic number for " + name + " mentioned in the provided text?";
    }

    /// What an example prints.
    private static String output(Consumer<String[]> main, String... arguments) {
        PrintStream before = System.out;
        var bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            main.accept(arguments);
        } finally {
            System.setOut(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void streamAnswer() {
        assertThat(output(StreamAnswer::main, MODEL, question("early-dawn", "4071523")))
                .contains("4071523")
                .containsPattern("(?m)^\\d+ tokens read, \\d+ generated, ended by END_OF_SEQUENCE$");
    }

    @Test
    void batch() {
        String output = output(Batch::main, MODEL, question("early-dawn", "4071523"), question("late-dusk", "8123456"));
        assertThat(output.lines().toList())
                .satisfiesExactly(
                        first -> assertThat(first).contains("4071523"),
                        second -> assertThat(second).contains("8123456"));
    }

    /// The document is long enough to be indexed; each question finds its own number.
    @Test
    void askDocument(@TempDir Path folder) throws IOException {
        String filling = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.\n";
        Path file = folder.resolve("document.txt");
        Files.writeString(
                file,
                "Some special magic numbers are hidden within the following text. Make sure to memorize it. I will quiz you"
                        + " about the numbers afterwards.\n" + filling.repeat(70)
                        + "One of the special magic numbers for early-dawn is: 4071523.\n" + filling.repeat(70)
                        + "One of the special magic numbers for late-dusk is: 8123456.\n" + filling.repeat(40));
        String output = output(
                arguments -> {
                    try {
                        AskDocument.main(arguments);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                MODEL,
                file.toString(),
                asked("early-dawn"),
                asked("late-dusk"));
        assertThat(output.lines().toList())
                .satisfiesExactly(
                        read -> assertThat(read).matches("read [1-9],\\d+ tokens"),
                        first -> assertThat(first)
                                .contains("4071523")
                                .containsPattern("[1-9],\\d+ tokens were not read"),
                        second -> assertThat(second)
                                .contains("8123456")
                                .containsPattern("[1-9],\\d+ tokens were not read"));
    }

    @Test
    void chat() {
        String output = output(Chat::main, MODEL, question("early-dawn", "4071523"), asked("early-dawn"));
        assertThat(output.lines().toList())
                .hasSize(2)
                .allSatisfy(answer -> assertThat(answer).contains("4071523"));
    }

    @Test
    void planMemory() {
        assertThat(output(PlanMemory::main, MODEL, "32768", "2"))
                .containsPattern("full: [1-9][\\d,.]* MiB resident, 0[.,]0 MiB offloaded\nfits; at most ")
                .containsPattern("shadowkv: [1-9][\\d,.]* MiB resident, [1-9][\\d,.]* MiB offloaded\nfits; at most ");
    }

    @Test
    void ownSuite() {
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                var engine = Engine.open(Path.of(MODEL), backend, EngineOptions.DEFAULT)) {
            PromptFormat format = PromptFormat.of(engine);
            var context = new TaskContext(
                    engine.tokenizer(), format, 1024, 7, new TaskContext.Options("nvidia", null, Path.of("nowhere")));
            List<String> names = TaskCatalog.names(List.of("own"));
            assertThat(names).containsExactly("own/number");
            EvalTask task = TaskCatalog.open(names.getFirst(), context);
            var plan = new EvalPlan(
                    "needle-32k", "cpu", "bf16", names, 1024, 2, 7, List.of(Method.of(KvCacheSpec.Shadow.DEFAULT)));
            try (var examiner =
                    new EngineExaminer(engine, plan, Map.of(task.name(), task), format, false, new Cancellation())) {
                List<AnswerRecord> answers = examiner.examine(
                        List.of(new Item(task.name(), 0), new Item(task.name(), 1)), _ -> true, _ -> {});
                assertThat(answers)
                        .hasSize(2)
                        .allSatisfy(answer -> assertThat(answer.scores()).containsEntry("contains", 1.0));
            }
        }
    }
}
