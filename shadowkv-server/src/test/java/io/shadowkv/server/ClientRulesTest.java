package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.OpenAIServiceException;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Long prompts, retries, time limits, cancellation, seeds and text beyond ASCII with openai-java and
/// LangChain4j. Spring AI's tests of the same are in `examples`.
class ClientRulesTest {
    private static final String GREETING = "Grüße, 你好, 🙂";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void forget() {
        server.access.clear();
    }

    private static OpenAIClient openAi(String base, int retries, Duration timeout) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(base)
                .apiKey("any")
                .maxRetries(retries)
                .timeout(timeout)
                .build();
    }

    private static OpenAIClient openAi() {
        return openAi(server.base(), 2, Duration.ofMinutes(4));
    }

    private static OpenAiChatModel.OpenAiChatModelBuilder langChain() {
        return OpenAiChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .maxRetries(2);
    }

    private static ChatCompletionCreateParams.Builder ask(String content) {
        return ChatCompletionCreateParams.builder().model(TestServer.MODEL).addUserMessage(content);
    }

    /// The prompt takes several pings to read. The server sends a blank at each of them.
    @Test
    void aPromptOf8000TokensIsAnswered() {
        OpenAIClient client = openAi();
        var answer =
                client.chat().completions().create(ask(TestServer.question(165)).build());
        assertThat(answer.usage().orElseThrow().promptTokens()).isBetween(7_500L, 8_500L);
        assertThat(answer.choices().getFirst().message().content().orElseThrow())
                .contains(TestServer.ANSWER);
        client.close();
    }

    @Test
    void aPromptOf100000TokensIsRefusedOnce() throws Exception {
        String prompt = TestServer.question(2_100);
        OpenAIClient client = openAi();
        for (boolean streams : new boolean[] {false, true}) {
            assertThatThrownBy(() -> {
                        if (streams) {
                            client.chat()
                                    .completions()
                                    .createStreaming(ask(prompt).build())
                                    .close();
                        } else {
                            client.chat().completions().create(ask(prompt).build());
                        }
                    })
                    .isInstanceOf(BadRequestException.class)
                    .hasMessageContaining("32,768")
                    .hasMessageMatching("(?s).*the prompt has 1\\d\\d,\\d\\d\\d.*")
                    .satisfies(
                            e -> assertThat(((OpenAIServiceException) e).code()).contains("context_length_exceeded"));
            server.failedOnce("error=context_length_exceeded");
        }
        client.close();
        assertThatThrownBy(() -> langChain().build().chat(prompt))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("context_length_exceeded");
        server.failedOnce("error=context_length_exceeded");
    }

    @Test
    void langChain4jDoesNotRepeatWhatCannotSucceed() throws Exception {
        assertThatThrownBy(() -> langChain().modelName("nobody").build().chat("x"))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("nobody");
        server.failedOnce("error=model_not_found");
    }

    /// A server that loads its model answers with 503.
    @Test
    void openAiAsksAServerThatLoadsAgain() throws Exception {
        whileItLoads(base -> {
            OpenAIClient client = openAi(base, 2, Duration.ofMinutes(4));
            var answer = client.chat()
                    .completions()
                    .create(ask("hello").maxCompletionTokens(2).build());
            client.close();
            return answer.choices().size();
        });
    }

    @Test
    void langChain4jAsksAServerThatLoadsAgain() throws Exception {
        whileItLoads(
                base -> langChain().baseUrl(base).maxCompletionTokens(2).build().chat("hello"));
    }

    /// Asks a server that offers its model only after it has refused the first request.
    private static void whileItLoads(Function<String, Object> client) throws Exception {
        var access = new LinkedBlockingQueue<String>();
        ServerLog log = new ServerLog() {
            @Override
            public void access(String line) {
                access.add(line);
            }

            @Override
            public void defect(String request, Throwable cause) {
                access.add("defect " + cause);
            }
        };
        try (ApiServer later = ApiServer.start(
                        ServerOptions.DEFAULT.withPort(0), log, new ApiServer.Times(Duration.ofMinutes(2), 1));
                ExecutorService asking = Executors.newVirtualThreadPerTaskExecutor()) {
            String base = "http://127.0.0.1:" + later.address().getPort() + "/v1";
            Future<Object> answer = asking.submit(() -> client.apply(base));
            assertThat(access.poll(4, TimeUnit.MINUTES)).contains("error=loading");
            later.serve(server.engine, List.of(TestServer.MODEL));
            assertThat(answer.get(4, TimeUnit.MINUTES)).isNotNull();
            assertThat(access.poll(4, TimeUnit.MINUTES)).contains(" 200 ");
        }
    }

    /// The client's time limit ends the generation on the server, too.
    @Test
    void openAiWaitsNoLonger() throws Exception {
        OpenAIClient client = openAi(server.base(), 0, Duration.ofMillis(600));
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(ask("hello")
                                .maxCompletionTokens(20_000)
                                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                                .build()))
                .hasStackTraceContaining("imeout");
        server.logged("client_gone=true");
        client.close();
    }

    /// LangChain4j's limit is for the head of the answer, which comes with the first ping at the
    /// latest.
    @Test
    void langChain4jWaitsNoLonger() throws Exception {
        try (TestServer slow = TestServer.start(options -> options.withPingInterval(Duration.ofSeconds(1)))) {
            assertThatThrownBy(() -> langChain()
                            .baseUrl(slow.base())
                            .timeout(Duration.ofMillis(300))
                            .maxRetries(0)
                            .maxCompletionTokens(20_000)
                            .customParameters(Map.of("ignore_eos", true))
                            .build()
                            .chat("hello"))
                    .isInstanceOf(dev.langchain4j.exception.TimeoutException.class);
            slow.logged("client_gone=true");
        }
    }

    @Test
    void langChain4jCancelsAStream() throws Exception {
        server.awaitIdle();
        long before = server.server.generatedTokens();
        CompletableFuture<Integer> cancelled = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .maxCompletionTokens(20_000)
                .customParameters(Map.of("ignore_eos", true))
                .build()
                .chat("hello", new StreamingChatResponseHandler() {
                    private int parts;

                    @Override
                    public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
                        if (++parts == 5) {
                            context.streamingHandle().cancel();
                            cancelled.complete(parts);
                        }
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        cancelled.completeExceptionally(new AssertionError(response));
                    }

                    @Override
                    public void onError(Throwable error) {
                        cancelled.completeExceptionally(error);
                    }
                });
        assertThat(cancelled.get(4, TimeUnit.MINUTES)).isEqualTo(5);
        server.logged("client_gone=true");
        server.awaitIdle();
        assertThat(server.server.generatedTokens() - before).isLessThan(20_000);
    }

    @Test
    void langChain4jSendsSeeds() {
        var hot = langChain().temperature(1.5).maxCompletionTokens(12);
        String first = hot.seed(11).build().chat("Tell me a story.");
        assertThat(hot.seed(11).build().chat("Tell me a story.")).isEqualTo(first);
        assertThat(hot.seed(12).build().chat("Tell me a story.")).isNotEqualTo(first);
    }

    private static Map<String, Object> greeting() {
        return Map.of(
                "type",
                "json_schema",
                "json_schema",
                Map.of("name", "greeting", "schema", Map.of("enum", List.of(GREETING))));
    }

    @Test
    void langChain4jReceivesTextBeyondAscii() throws Exception {
        assertThat(langChain()
                        .customParameters(Map.of("response_format", greeting()))
                        .build()
                        .chat(GREETING))
                .isEqualTo("\"" + GREETING + "\"");
        CompletableFuture<String> streamed = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .customParameters(Map.of("response_format", greeting()))
                .build()
                .chat(GREETING, new StreamingChatResponseHandler() {
                    private final StringBuilder text = new StringBuilder();

                    @Override
                    public void onPartialResponse(String part) {
                        text.append(part);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        streamed.complete(text.toString());
                    }

                    @Override
                    public void onError(Throwable error) {
                        streamed.completeExceptionally(error);
                    }
                });
        assertThat(streamed.get(4, TimeUnit.MINUTES)).isEqualTo("\"" + GREETING + "\"");
    }

    /// Parts of a character come in tokens of their own; a chunk has whole characters.
    @Test
    void openAiStreamsJsonBeyondAscii() {
        OpenAIClient client = openAi();
        var format = ResponseFormatJsonSchema.builder()
                .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                        .name("greeting")
                        .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                                .putAdditionalProperty("enum", JsonValue.from(List.of(GREETING)))
                                .build())
                        .build())
                .build();
        try (var stream = client.chat()
                .completions()
                .createStreaming(ask(GREETING).responseFormat(format).build())) {
            List<String> parts = stream.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .flatMap(choice -> choice.delta().content().stream())
                    .toList();
            assertThat(parts).allSatisfy(part -> assertThat(part).doesNotContain("\uFFFD"));
            assertThat(String.join("", parts)).isEqualTo("\"" + GREETING + "\"");
        }
        client.close();
    }
}
