package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `run` on the bundled model: all ways to give a prompt and to control an answer.
class RunCommandTest {
    private static final String QUESTION = "A special magic number is hidden within the following text. Make sure to"
            + " memorize it. I will quiz you about the number afterwards.\nOne of the special magic numbers for"
            + " quick-fox is: 4829173.\nThe sun is bright. Here we go.\nWhat is the special magic number for quick-fox"
            + " mentioned in the provided text?";

    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(strings = {"full", "shadowkv"})
    void answersAndSaysWhatItCost(String method) {
        Shell.Result result =
                shadowkv("run", "needle-32k", QUESTION, "--method", method).succeeded();
        assertThat(result.out()).contains("4829173").endsWith("\n");
        assertThat(result.err())
                .containsPattern("backend: \\w+, .+")
                .containsPattern(
                        method + ": read \\d+ tokens in [\\d.]+ s \\([\\d,]+ tok/s\\), generated \\d+ at [\\d.]+ tok/s")
                .containsPattern("[\\d.]+ MiB resident \\(planned [\\d.]+ MiB\\)");

        JsonNode json = shadowkv("run", "needle-32k", QUESTION, "--method", method, "--json")
                .json();
        assertThat(json.get("text").stringValue().strip())
                .isEqualTo(result.out().strip());
        assertThat(json.get("method").stringValue()).isEqualTo(method);
        assertThat(json.get("generated_tokens").intValue())
                .isEqualTo(json.get("ids").size())
                .isBetween(10, 100);
        assertThat(json.at("/cache/measured/resident_bytes").longValue())
                .isEqualTo(json.at("/cache/planned/resident_bytes").longValue())
                .isPositive();
        assertThat(json.at("/timings/prefill_seconds").doubleValue()).isPositive();
    }

    /// The answer is that of exact reading, and the report says how much was computed.
    @Test
    void readsSparsely() {
        String sun = "The sun is bright. Here we go.";
        String text = QUESTION.replace(sun, (sun + "\n").repeat(200));
        Shell.Result result = shadowkv(
                        "run", "needle-32k", text, "--method", "full", "--prefill-from", "1k", "--minference")
                .succeeded();
        assertThat(result.out()).contains("4829173");
        assertThat(result.err())
                .containsPattern("full, prefill minference from 1024: read [\\d,]+ tokens")
                .containsPattern("; \\d+ % of attention computed in prefill, by layer( \\d+){5}");

        JsonNode json = shadowkv(
                        "run",
                        "needle-32k",
                        text,
                        "--method",
                        "full",
                        "--prefill-from",
                        "1k",
                        "--prefill",
                        "blocks",
                        "--json")
                .json();
        assertThat(json.get("text").stringValue()).contains("4829173");
        assertThat(json.get("method").stringValue()).isEqualTo("full, prefill blocks from 1024");
        assertThat(json.get("prefill_density_by_layer")).hasSize(5);
        assertThat(json.get("prefill_density").doubleValue()).isBetween(0.01, 0.95);
    }

    @Test
    void refusesWaysToReadThatItCannotMean() throws IOException {
        Path patterns = Files.writeString(temporary.resolve("patterns.json"), "[{}, {}]");
        shadowkv("run", "needle-32k", QUESTION, "--prefill", "exact,blocks")
                .refused(2, "--prefill names 2 ways to read", "compare them with eval");
        shadowkv("run", "needle-32k", QUESTION, "--prefill-threshold", "0.2")
                .refused(2, "--prefill-threshold is given without --prefill blocks");
        shadowkv("run", "needle-32k", QUESTION, "--prefill", "blocks", "--prefill-threshold", "2")
                .refused(2, "threshold of sparse prefill is 2.0; expected 0 (keeps everything) to 1");
        shadowkv("run", "needle-32k", QUESTION, "--minference=" + temporary.resolve("none.json"))
                .refused(2, "none.json does not exist", "Give the pattern file of this model");
        shadowkv("run", "needle-32k", QUESTION, "--minference=" + patterns)
                .refused(1, "has patterns for 2 layers; the model has 5 layers", "Give the pattern file of this model");
    }

    @Test
    void selectsWhenThePromptIsLongerThanTheBudget() {
        JsonNode json = shadowkv(
                        "run",
                        "needle-32k",
                        QUESTION.repeat(4),
                        "--json",
                        "-n",
                        "12",
                        "--ignore-eos",
                        "--budget",
                        "32",
                        "--outliers",
                        "2",
                        "--local-tokens",
                        "8",
                        "--generated-tokens",
                        "8",
                        "--rank",
                        "16")
                .json();
        assertThat(json.at("/cache/selected_units").longValue()).isPositive();
        assertThat(json.at("/cache/hit_rate").doubleValue()).isBetween(0.0, 1.0);
        assertThat(json.at("/cache/measured/offloaded_bytes").longValue()).isPositive();
        assertThat(json.get("generated_tokens").intValue()).isEqualTo(12);
        assertThat(json.get("finish").stringValue()).isEqualTo("max_new_tokens");
    }

    @Test
    void takesThePromptFromArgumentFileOrPipe() throws IOException {
        Path file = Files.writeString(temporary.resolve("prompt.txt"), QUESTION);
        String expected =
                shadowkv("run", "needle-32k", QUESTION, "-n", "6").succeeded().out();
        assertThat(shadowkv("run", "needle-32k", "-n", "6", "--file", file)
                        .succeeded()
                        .out())
                .isEqualTo(expected);
        assertThat(new Shell()
                        .typing(QUESTION)
                        .run("run", "needle-32k", "-n", "6")
                        .succeeded()
                        .out())
                .isEqualTo(expected);
        assertThat(new Shell()
                        .typing(QUESTION)
                        .run("run", "needle-32k", "-n", "6", "-f", "-")
                        .succeeded()
                        .out())
                .isEqualTo(expected);
    }

    @Test
    void rawLeavesTheTemplateOutAndSystemAddsToIt() {
        int plain = promptTokens();
        assertThat(promptTokens("--raw")).isLessThan(plain);
        assertThat(promptTokens("--system", "You are a very helpful assistant indeed"))
                .isGreaterThan(plain);
    }

    private static int promptTokens(String... options) {
        var arguments = new ArrayList<Object>(List.of("run", "needle-32k", "Hello", "-n", "1", "--json"));
        arguments.addAll(List.of(options));
        return shadowkv(arguments.toArray()).json().get("prompt_tokens").intValue();
    }

    @Test
    void drawsTheSameTokensForTheSameSeed() {
        Object[] first = {
            "run", "needle-32k", QUESTION, "--temperature", "3", "-n", "16", "--json", "--ignore-eos", "--seed", "7"
        };
        JsonNode ids = shadowkv(first).json().get("ids");
        assertThat(shadowkv(first).json().get("ids")).isEqualTo(ids);
        first[first.length - 1] = "8";
        assertThat(shadowkv(first).json().get("ids")).isNotEqualTo(ids);
    }

    @Test
    void endsBeforeAStopString() {
        String text = shadowkv("run", "needle-32k", QUESTION, "-n", "12", "--json")
                .json()
                .get("text")
                .stringValue();
        String stop = text.substring(text.length() / 2, text.length() / 2 + 1);
        JsonNode json = shadowkv("run", "needle-32k", QUESTION, "-n", "12", "--json", "--stop", stop)
                .json();
        assertThat(json.get("finish").stringValue()).isEqualTo("stop_string");
        assertThat(json.get("text").stringValue()).isEqualTo(text.substring(0, text.indexOf(stop)));
        assertThat(shadowkv("run", "needle-32k", QUESTION, "-n", "12", "--stop", stop)
                        .succeeded()
                        .out()
                        .strip())
                .isEqualTo(text.substring(0, text.indexOf(stop)).strip());
    }

    @Test
    void reportsACancelledAnswer() {
        Shell.Result result = new Shell().cancelled().run("run", "needle-32k", QUESTION, "--json");
        assertThat(result.json().get("finish").stringValue()).isEqualTo("cancelled");
    }

    @Test
    void showsProgressAsLinesWhereAskedFor() {
        String prompt = QUESTION.repeat(8);
        assertThat(shadowkv("run", "needle-32k", prompt, "-n", "1", "--progress", "--prefill-rows", "64")
                        .succeeded()
                        .err())
                .containsPattern("reading [\\d,]+ tokens: 100 %");
        assertThat(shadowkv("run", "needle-32k", prompt, "-n", "1").succeeded().err())
                .doesNotContain("reading");
    }

    @Test
    void refusesAPromptBeyondTheContext() {
        Shell.Result result =
                new Shell().typing("one two three four ".repeat(10_000)).run("run", "needle-32k");
        result.refused(
                1,
                "prompt has ",
                " tokens; the model's context is 32,768. Shorten it, or use a model with a longer context.");
    }

    @Test
    void refusesWhatTheMemoryCannotHold() {
        shadowkv("run", "needle-32k", "hi", "--memory", "1M").refused(1, "available are 1,048,576 bytes");
    }

    @Test
    void refusesTextThatIsNotUtf8() throws IOException {
        Path file = Files.write(temporary.resolve("latin1.txt"), new byte[] {'n', (byte) 0xe9});
        shadowkv("run", "needle-32k", "--file", file).refused(1, "latin1.txt: 2 bytes that are not UTF-8 text");
        shadowkv("run", "needle-32k", "--file", temporary.resolve("none.txt"))
                .refused(1, "none.txt: no such file. Check the name, and the folder you are in");
    }

    /// The second turn of a chat only reads new tokens, and its answer equals that of reading the
    /// whole conversation.
    @Test
    void chatsWithoutReadingTheHistoryAgain() {
        String second = "What is the special magic number for quick-fox mentioned in the provided text? Again.";
        Shell.Result chat = new Shell()
                .typing("/stats\n" + second + "\n/stats\n/what\n\n/reset\n/stats\n/exit\nnot read\n")
                .run("run", "needle-32k", QUESTION, "--chat", "--method", "full", "-n", "50")
                .succeeded();
        try (Backend backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(
                        Fixtures.needleModel(), backend, EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()))) {
            ChatMessage asked = new ChatMessage("user", QUESTION);
            Completion first = complete(engine, List.of(asked));
            Completion whole = complete(
                    engine,
                    List.of(asked, new ChatMessage("assistant", first.text()), new ChatMessage("user", second)));
            assertThat(first.finish()).isEqualTo(Completion.FinishReason.END_OF_SEQUENCE);
            assertThat(chat.out().lines().map(String::strip).toList())
                    .containsExactly(first.text().strip(), whole.text().strip());
            int held = whole.promptTokens() + whole.ids().length;
            int added = whole.promptTokens() - first.promptTokens() - first.ids().length;
            assertThat(chat.err())
                    .contains(String.format("%,d of ", held), "full: read " + added + " tokens")
                    .contains("/what is not a command of the chat; there are /reset, /stats and /exit")
                    .contains("a new chat begins")
                    .contains("no answer yet");
        }
    }

    private static Completion complete(Engine engine, List<ChatMessage> messages) {
        return engine.complete(Request.of(engine.encodeChat(messages), GenerationOptions.DEFAULT.withMaxNewTokens(50)));
    }

    @Test
    void chatsWithChunksFetchedFromTheHistory() {
        Shell.Result chat = new Shell()
                .typing(QUESTION.replace("\n", " ").repeat(3) + "\nHello\n/stats\n")
                .run(
                        "run",
                        "needle-32k",
                        "--chat",
                        "-n",
                        "20",
                        "--ignore-eos",
                        "--budget",
                        "32",
                        "--outliers",
                        "2",
                        "--local-tokens",
                        "8",
                        "--generated-tokens",
                        "8",
                        "--rank",
                        "16")
                .succeeded();
        assertThat(chat.err()).containsPattern("tokens used; last turn, shadowkv: read \\d+ tokens .* hit rate \\d+ %");
    }

    @Test
    void tellsAChatThatItsRoomIsFull() {
        Shell.Result chat = new Shell()
                .typing(QUESTION + "\nHello\n")
                .run("run", "needle-32k", "--chat", "--context", "60", "-n", "4")
                .succeeded();
        assertThat(chat.err()).contains("Use /reset to start a new chat, or --context for a longer one");
        assertThat(chat.out()).isNotBlank();
    }
}
