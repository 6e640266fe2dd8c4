package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionNamedToolChoice;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Required calls of tools with openai-java and LangChain4j and the bundled model.
class ToolCallTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static ChatCompletionFunctionTool tool(String name) {
        return ChatCompletionFunctionTool.builder()
                .function(FunctionDefinition.builder()
                        .name(name)
                        .description("Looks up a place")
                        .parameters(FunctionParameters.builder()
                                .putAdditionalProperty("type", JsonValue.from("object"))
                                .putAdditionalProperty(
                                        "properties", JsonValue.from(Map.of("place", Map.of("$ref", "#/$defs/place"))))
                                .putAdditionalProperty("required", JsonValue.from(List.of("place")))
                                .putAdditionalProperty("additionalProperties", JsonValue.from(false))
                                .putAdditionalProperty(
                                        "$defs",
                                        JsonValue.from(Map.of("place", Map.of("enum", List.of("a, {b}", "c: \"d\"")))))
                                .build())
                        .build())
                .build();
    }

    private static ChatCompletionCreateParams.Builder ask() {
        return ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .addUserMessage(TestServer.question(1))
                .addTool(tool("look_up"))
                .addTool(tool("find"));
    }

    private static ChatCompletionCreateParams.Builder required() {
        return ask().toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED);
    }

    private static void check(ChatCompletion.Choice choice) {
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        var calls = choice.message().toolCalls().orElseThrow();
        assertThat(calls).hasSize(1);
        var call = calls.getFirst().asFunction();
        assertThat(call.id()).matches("[0-9A-Za-z]{9}");
        assertThat(call.function().name()).isIn("look_up", "find");
        checkArguments(call.function().arguments());
    }

    private static void checkArguments(String arguments) {
        assertThat(arguments).isIn("{\"place\":\"a, {b}\"}", "{\"place\":\"c: \\\"d\\\"\"}");
    }

    @Test
    void anAnswerIsACall() {
        ChatCompletion answer = client.chat().completions().create(required().build());
        answer.validate();
        check(answer.choices().getFirst());
        assertThat(answer.choices().getFirst().message().content()).isEmpty();
    }

    @Test
    void aStreamIsTheSameCall() {
        List<ChatCompletionChunk> chunks;
        try (var stream = client.chat().completions().createStreaming(required().build())) {
            chunks = stream.stream().toList();
        }
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        chunks.forEach(chunk -> {
            chunk.validate();
            accumulator.accumulate(chunk);
        });
        check(accumulator.chatCompletion().choices().getFirst());
    }

    @Test
    void severalHotAnswersAreCalls() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(required().n(3).temperature(2).build());
        assertThat(answer.choices()).hasSize(3).allSatisfy(ToolCallTest::check);
    }

    @Test
    void theNamedFunctionIsCalled() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(ask().toolChoice(ChatCompletionNamedToolChoice.builder()
                                .function(ChatCompletionNamedToolChoice.Function.builder()
                                        .name("find")
                                        .build())
                                .build())
                        .build());
        check(answer.choices().getFirst());
        assertThat(answer.choices()
                        .getFirst()
                        .message()
                        .toolCalls()
                        .orElseThrow()
                        .getFirst()
                        .asFunction()
                        .function()
                        .name())
                .isEqualTo("find");
    }

    @Test
    void withoutAChoiceOfToolsTheAnswerIsText() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(ask().toolChoice(ChatCompletionToolChoiceOption.Auto.NONE)
                        .build());
        assertThat(answer.choices().getFirst().message().content().orElseThrow())
                .contains(TestServer.ANSWER);
        assertThat(answer.choices().getFirst().message().toolCalls()).isEmpty();
    }

    @Test
    void aCutCallIsNoCall() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(required().maxCompletionTokens(2).build());
        assertThat(answer.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
    }

    private static ChatRequest langChain4jRequest() {
        return ChatRequest.builder()
                .messages(UserMessage.from(TestServer.question(1)))
                .toolSpecifications(ToolSpecification.builder()
                        .name("look_up")
                        .description("Looks up a place")
                        .parameters(JsonObjectSchema.builder()
                                .addEnumProperty("place", List.of("a", "b"))
                                .required("place")
                                .build())
                        .build())
                .toolChoice(ToolChoice.REQUIRED)
                .build();
    }

    private static void check(ChatResponse answer) {
        assertThat(answer.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        List<ToolExecutionRequest> calls = answer.aiMessage().toolExecutionRequests();
        assertThat(calls).hasSize(1);
        assertThat(calls.getFirst().name()).isEqualTo("look_up");
        assertThat(calls.getFirst().id()).isNotBlank();
        assertThat(calls.getFirst().arguments()).isIn("{\"place\":\"a\"}", "{\"place\":\"b\"}");
    }

    @Test
    void langChain4jReceivesACall() {
        check(OpenAiChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .maxRetries(0)
                .build()
                .chat(langChain4jRequest()));
    }

    @Test
    void langChain4jStreamsACall() throws Exception {
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .build()
                .chat(langChain4jRequest(), new StreamingChatResponseHandler() {
                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        end.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        end.completeExceptionally(error);
                    }
                });
        check(end.get(4, TimeUnit.MINUTES));
    }

    @Test
    void deltasHaveTheirExactForm() throws Exception {
        var response = server.post(
                "/v1/chat/completions",
                TestServer.chat(
                        "x",
                        ",\"stream\":true,\"logprobs\":true,\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\","
                                + "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":"
                                + "{\"a\":{\"const\":\"long enough for several tokens\"}},\"required\":[\"a\"]}}}]"));
        List<JsonNode> choices = response.body()
                .lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> JsonMapper.shared()
                        .readTree(line.substring("data: ".length()))
                        .path("choices")
                        .path(0))
                .toList();
        List<JsonNode> calls = choices.stream()
                .map(choice -> choice.path("delta"))
                .filter(delta -> delta.has("tool_calls"))
                .toList();
        assertThat(calls)
                .hasSizeGreaterThan(2)
                .allMatch(delta -> delta.size() == 1)
                .allMatch(delta -> delta.path("tool_calls").size() == 1);
        JsonNode first = calls.getFirst().path("tool_calls").path(0);
        assertThat(first.propertyNames()).containsExactly("index", "id", "type", "function");
        assertThat(first.path("function").toString()).isEqualTo("{\"name\":\"f\",\"arguments\":\"\"}");
        StringBuilder arguments = new StringBuilder();
        for (JsonNode delta : calls.subList(1, calls.size())) {
            JsonNode call = delta.path("tool_calls").path(0);
            assertThat(call.propertyNames()).containsExactly("index", "function");
            assertThat(call.path("index").intValue()).isZero();
            assertThat(call.path("function").propertyNames()).containsExactly("arguments");
            arguments.append(call.path("function").path("arguments").stringValue());
        }
        assertThat(arguments).hasToString("{\"a\":\"long enough for several tokens\"}");
        assertThat(choices.getLast().path("finish_reason").stringValue()).isEqualTo("tool_calls");
        assertThat(choices.subList(1, choices.size() - 1))
                .filteredOn(choice -> choice.path("logprobs").isObject())
                .hasSizeGreaterThan(calls.size() - 2);
    }
}
