package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import io.shadowkv.Fixtures;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// `reasoning_content`: the bundled model with a chat template that opens thinking, and with the digit
/// 1 spelled `</think>`, so that the numbers that it finds end its thoughts.
class ReasoningTest {
    private static final String NUMBER = "407</think>523";
    private static final int FILLERS = 1;

    private static TestServer server;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        Path model = folder.resolve("thinking");
        Files.createDirectory(model);
        try (Stream<Path> files = Files.list(Fixtures.needleModel())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        Path config = model.resolve("tokenizer_config.json");
        ObjectNode settings = (ObjectNode) JsonMapper.shared().readTree(config);
        settings.put(
                "chat_template",
                settings.path("chat_template")
                        .stringValue()
                        .replace("assistant<|end_header_id|>'", "assistant<|end_header_id|><think>\\n'"));
        JsonMapper.shared().writeValue(config, settings);
        respell(model.resolve("tokenizer.json"), "1", "</think>");
        server = TestServer.start(
                model,
                EngineOptions.DEFAULT.withCache(new KvCacheSpec.Full()).withKeptPrompts(4),
                ServerOptions.DEFAULT.withPort(0));
    }

    private static void respell(Path file, String token, String spelling) throws IOException {
        ObjectNode tokenizer = (ObjectNode) JsonMapper.shared().readTree(file);
        ObjectNode vocabulary = (ObjectNode) tokenizer.path("model").path("vocab");
        int id = vocabulary.path(token).intValue();
        vocabulary.remove(token);
        vocabulary.put(spelling, id);
        // JSON needs a token for each digit. The byte C0, whose token this is, occurs in no text.
        vocabulary.put(token, vocabulary.remove("\u00C0").intValue());
        tokenizer
                .withArray("added_tokens")
                .addObject()
                .put("id", id)
                .put("content", spelling)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", false);
        JsonMapper.shared().writeValue(file, tokenizer);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String ask(String further) {
        return TestServer.chat(TestServer.question(FILLERS).replace(TestServer.ANSWER, NUMBER), further);
    }

    @Test
    void aWholeAnswerHasItsThoughtsApart() throws Exception {
        JsonNode answer = TestServer.json(server.post("/v1/chat/completions", ask("")));
        JsonNode message = answer.path("choices").path(0).path("message");
        assertThat(message.path("reasoning_content").stringValue())
                .as(answer.toString())
                .endsWith("407");
        assertThat(message.path("content").stringValue()).startsWith("523").doesNotContain("think");
        JsonNode usage = answer.path("usage");
        int thoughts =
                usage.path("completion_tokens_details").path("reasoning_tokens").intValue();
        assertThat(thoughts)
                .isGreaterThan(3)
                .isLessThanOrEqualTo(usage.path("completion_tokens").intValue() - 3);
    }

    @Test
    void aStreamSendsThemAsTheyCome() throws Exception {
        JsonNode whole = TestServer.json(server.post("/v1/chat/completions", ask("")));
        List<JsonNode> chunks = server.post(
                        "/v1/chat/completions", ask(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"))
                .body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JsonMapper.shared().readTree(line.substring("data: ".length())))
                .toList();
        StringBuilder thoughts = new StringBuilder();
        StringBuilder content = new StringBuilder();
        int parts = 0;
        for (JsonNode chunk : chunks) {
            JsonNode delta = chunk.path("choices").path(0).path("delta");
            if (delta.has("reasoning_content")) {
                assertThat(delta.size()).isEqualTo(1);
                assertThat(content).isEmpty();
                thoughts.append(delta.path("reasoning_content").stringValue());
                parts++;
            }
            content.append(delta.path("content").asString(""));
        }
        JsonNode message = whole.path("choices").path(0).path("message");
        assertThat(parts).isGreaterThan(3);
        assertThat(thoughts).hasToString(message.path("reasoning_content").stringValue());
        assertThat(content).hasToString(message.path("content").stringValue());
        assertThat(chunks.getLast().path("usage").path("completion_tokens_details"))
                .isEqualTo(whole.path("usage").path("completion_tokens_details"));
    }

    @Test
    void langChain4jReceivesThoughts() throws Exception {
        String question = TestServer.question(FILLERS).replace(TestServer.ANSWER, NUMBER);
        var whole = OpenAiChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .returnThinking(true)
                .build()
                .chat(UserMessage.from(question))
                .aiMessage();
        assertThat(whole.thinking()).endsWith("407");
        assertThat(whole.text()).startsWith("523");
        StringBuilder thoughts = new StringBuilder();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .returnThinking(true)
                .build()
                .chat(question, new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialThinking(PartialThinking part) {
                        thoughts.append(part.text());
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        end.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        end.completeExceptionally(error);
                    }
                });
        assertThat(end.get(4, TimeUnit.MINUTES).aiMessage().text()).isEqualTo(whole.text());
        assertThat(thoughts).hasToString(whole.thinking());
    }

    /// A limit that ends the answer within its thoughts leaves no content.
    @Test
    void aCutAnswerIsAllThoughts() throws Exception {
        JsonNode answer = TestServer.json(server.post("/v1/chat/completions", ask(",\"max_tokens\":3,\"n\":2")));
        assertThat(answer.path("choices")).hasSize(2).allSatisfy(choice -> {
            assertThat(choice.path("finish_reason").stringValue()).isEqualTo("length");
            assertThat(choice.path("message").path("content").stringValue()).isEmpty();
            assertThat(choice.path("message").path("reasoning_content").stringValue())
                    .isNotEmpty();
        });
        assertThat(answer.path("usage")
                        .path("completion_tokens_details")
                        .path("reasoning_tokens")
                        .intValue())
                .isEqualTo(6);
    }

    /// JSON that the server enforces begins at once.
    @Test
    void aConstrainedAnswerHasNoThoughts() throws Exception {
        JsonNode answer = TestServer.json(server.post(
                "/v1/chat/completions",
                ask(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":"
                        + "{\"enum\":[\"dawn\",\"dusk\"]}}}")));
        JsonNode message = answer.path("choices").path(0).path("message");
        assertThat(message.path("content").stringValue()).isIn("\"dawn\"", "\"dusk\"");
        assertThat(message.has("reasoning_content")).isFalse();
    }
}
