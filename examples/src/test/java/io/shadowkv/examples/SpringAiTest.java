package io.shadowkv.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.converter.BeanOutputConverter;
import org.springframework.ai.model.tool.ToolCallingManager;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.ToolCallback;
import org.springframework.ai.tool.function.FunctionToolCallback;
import reactor.core.Disposable;

/// Spring AI against the server with the bundled model.
class SpringAiTest {
    private static ServedModel server;
    private static OpenAiChatModel model;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        server = new ServedModel(folder);
        model = OpenAiChatModel.builder().options(options().build()).build();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void forget() {
        server.access().clear();
    }

    private static OpenAiChatOptions.Builder options() {
        OpenAiChatOptions.Builder options = OpenAiChatOptions.builder();
        options.baseUrl(server.base()).apiKey("any").model(ServedModel.NAME).maxRetries(2);
        return options;
    }

    private static Prompt prompt(String question, OpenAiChatOptions.Builder options) {
        return new Prompt(List.of(new UserMessage(question)), options.build());
    }

    private static String text(ChatResponse answer) {
        return String.valueOf(answer.getResult().getOutput().getText());
    }

    @Test
    void answersAQuestionAndCountsTokens() {
        ChatResponse answer = model.call(new Prompt(
                List.of(new SystemMessage("You are a helpful assistant"), new UserMessage(ServedModel.question()))));
        assertThat(text(answer)).contains(ServedModel.ANSWER);
        assertThat(answer.getResult().getMetadata().getFinishReason()).isEqualToIgnoringCase("stop");
        assertThat(answer.getMetadata().getModel()).isEqualTo(ServedModel.NAME);
        assertThat(answer.getMetadata().getId()).startsWith("chatcmpl-");
        var usage = answer.getMetadata().getUsage();
        assertThat(usage.getPromptTokens()).isGreaterThan(50);
        assertThat(usage.getCompletionTokens()).isGreaterThan(5);
        assertThat(usage.getTotalTokens()).isEqualTo(usage.getPromptTokens() + usage.getCompletionTokens());
    }

    @Test
    void streamsTheSameAnswer() {
        OpenAiChatOptions.Builder options = options();
        options.streamUsage(true);
        List<ChatResponse> parts = model.stream(prompt(ServedModel.question(), options))
                .collectList()
                .block(Duration.ofMinutes(4));
        StringBuilder text = new StringBuilder();
        for (ChatResponse part : parts) {
            if (part.getResult() != null && part.getResult().getOutput().getText() != null) {
                text.append(part.getResult().getOutput().getText());
            }
        }
        assertThat(text).hasToString(text(model.call(prompt(ServedModel.question(), options()))));
        assertThat(parts).hasSizeGreaterThan(5);
        assertThat(parts.getLast().getMetadata().getUsage().getCompletionTokens())
                .isPositive();
        assertThat(parts)
                .anySatisfy(part -> assertThat(part.hasFinishReasons(java.util.Set.of("STOP", "stop")))
                        .isTrue());
    }

    /// What a tool is called with.
    record Place(Time place) {}

    enum Time {
        DAWN,
        DUSK
    }

    private static Prompt withTool(AtomicInteger calls) {
        ToolCallback tool = FunctionToolCallback.builder("look_up", (Place place) -> {
                    calls.incrementAndGet();
                    return "found " + place.place();
                })
                .description("Looks up a place")
                .inputType(Place.class)
                .build();
        OpenAiChatOptions.Builder options = options();
        options.toolCallbacks(List.of(tool));
        options.toolChoice("required");
        return prompt(ServedModel.question(), options);
    }

    /// Spring AI makes the schema of the arguments from a class, and reads them back.
    @Test
    void aRequiredToolIsCalled() {
        AtomicInteger calls = new AtomicInteger();
        Prompt prompt = withTool(calls);
        ChatResponse answer = model.call(prompt);
        assertThat(answer.hasToolCalls()).isTrue();
        AssistantMessage.ToolCall call =
                answer.getResult().getOutput().getToolCalls().getFirst();
        assertThat(call.name()).isEqualTo("look_up");
        assertThat(call.id()).isNotBlank();
        assertThat(call.arguments()).matches("\\{\"place\":\"(DAWN|DUSK)\"}");
        var result = ToolCallingManager.builder().build().executeToolCalls(prompt, answer);
        assertThat(calls).hasValue(1);
        ChatResponse end = model.call(new Prompt(
                result.conversationHistory(), options().maxCompletionTokens(4).build()));
        assertThat(end.getResult()).isNotNull();
    }

    @Test
    void aStreamHasTheSameCall() {
        ChatResponse whole = model.call(withTool(new AtomicInteger()));
        List<AssistantMessage.ToolCall> calls =
                model.stream(withTool(new AtomicInteger())).collectList().block(Duration.ofMinutes(4)).stream()
                        .filter(ChatResponse::hasToolCalls)
                        .flatMap(part -> part.getResult().getOutput().getToolCalls().stream())
                        .toList();
        assertThat(calls).hasSize(1);
        assertThat(calls.getFirst().name()).isEqualTo("look_up");
        assertThat(calls.getFirst().arguments())
                .isEqualTo(
                        whole.getResult().getOutput().getToolCalls().getFirst().arguments());
    }

    /// The class is a schema that the server enforces.
    @Test
    void anAnswerIsAnObjectOfAClass() {
        var converter = new BeanOutputConverter<>(Place.class);
        OpenAiChatOptions.Builder options = options();
        options.outputSchema(converter.getJsonSchema());
        String json = text(model.call(prompt(ServedModel.question(), options)));
        assertThat(converter.convert(json).place()).as(json).isNotNull();
    }

    @Test
    void severalAnswersComeWithSeeds() {
        OpenAiChatOptions.Builder options = options();
        options.n(3).seed(11).temperature(1.5).maxCompletionTokens(8);
        List<String> first = texts(options);
        assertThat(first).hasSize(3).doesNotHaveDuplicates();
        assertThat(texts(options)).isEqualTo(first);
    }

    private static List<String> texts(OpenAiChatOptions.Builder options) {
        return model.call(prompt("Tell me a story.", options)).getResults().stream()
                .map(result -> result.getOutput().getText())
                .toList();
    }

    /// The server decodes what was sent, and the answer repeats it.
    @Test
    void nonAsciiTextArrives() {
        String text = "Grüße, 你好, 🙂";
        OpenAiChatOptions.Builder options = options();
        options.outputSchema("{\"type\":\"object\",\"properties\":{\"größe\":{\"const\":\"" + text
                + "\"}},\"required\":[\"größe\"],\"additionalProperties\":false}");
        assertThat(text(model.call(prompt(text, options))))
                .isIn("{\"größe\":\"" + text + "\"}", "{\"größe\": \"" + text + "\"}");
    }

    @Test
    void aWrongModelIsNotRetried() throws Exception {
        OpenAiChatOptions.Builder options = options();
        options.model("nobody");
        assertThatThrownBy(() -> model.call(prompt("x", options)))
                .isInstanceOf(NotFoundException.class)
                .satisfies(e -> assertThat(((OpenAIServiceException) e).code()).contains("model_not_found"));
        server.failedOnce("error=model_not_found");
    }

    /// A server that loads its model answers with 503; the client asks again.
    @Test
    void aBusyServerIsAskedAgain(@TempDir Path folder) throws Exception {
        try (ServedModel later = new ServedModel(folder, false)) {
            OpenAiChatOptions.Builder options = options();
            options.baseUrl(later.base()).maxCompletionTokens(2).maxRetries(3);
            OpenAiChatModel patient =
                    OpenAiChatModel.builder().options(options.build()).build();
            var answer = CompletableFuture.supplyAsync(() -> patient.call("hello"));
            later.logged("error=loading");
            later.serve();
            assertThat(answer.get(4, TimeUnit.MINUTES)).isNotNull();
            later.logged(" 200 ");
        }
    }

    /// 100,000 tokens are refused once, with both numbers.
    @Test
    void aPromptBeyondTheContextIsRefusedOnce() throws Exception {
        assertThatThrownBy(() -> model.call(prompt(ServedModel.text(2_100), options())))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("32,768")
                .satisfies(e -> assertThat(((OpenAIServiceException) e).code()).contains("context_length_exceeded"));
        server.failedOnce("error=context_length_exceeded");
    }

    @Test
    void anErrorEndsAStream() {
        OpenAiChatOptions.Builder options = options();
        options.model("nobody");
        assertThatThrownBy(() -> model.stream(prompt("x", options)).blockLast(Duration.ofMinutes(4)))
                .hasStackTraceContaining("nobody");
    }

    /// The client's time limit ends the generation on the server, too.
    @Test
    void aClientThatWaitsNoLongerEndsItsGeneration() throws InterruptedException {
        OpenAiChatModel impatient = OpenAiChatModel.builder()
                .options(endless().timeout(Duration.ofMillis(600)).maxRetries(0).build())
                .build();
        assertThatThrownBy(() -> impatient.call("hello")).hasStackTraceContaining("imeout");
        assertThat(server.logged("client_gone=true")).isNotNull();
    }

    /// Answers that end only at the limit of tokens.
    private static OpenAiChatOptions.Builder endless() {
        return options().maxCompletionTokens(20_000).extraBody(Map.of("ignore_eos", true));
    }

    /// A disposed stream is often closed only by the client's time limit, which is a minute by default.
    @Test
    void aStreamThatIsNoLongerReadEndsItsGeneration() throws InterruptedException {
        long before = server.generatedTokens();
        CountDownLatch some = new CountDownLatch(5);
        OpenAiChatOptions options =
                endless().timeout(Duration.ofSeconds(15)).maxRetries(0).build();
        OpenAiChatModel impatient = OpenAiChatModel.builder().options(options).build();
        Disposable subscription = impatient.stream(new Prompt("hello", options)).subscribe(part -> some.countDown());
        assertThat(some.await(4, TimeUnit.MINUTES)).isTrue();
        subscription.dispose();
        server.logged("client_gone=true");
        assertThat(server.generatedTokens() - before).isGreaterThanOrEqualTo(4).isLessThan(20_000);
    }
}
