package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.models.ResponseFormatJsonObject;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `response_format` with openai-java and LangChain4j and the bundled model.
class StructuredOutputTest {
    private static final String DIGITS = "{\"type\":\"object\",\"properties\":{\"number\":{\"type\":\"string\","
            + "\"pattern\":\"^[0-9]{7}$\"},\"place\":{\"enum\":[\"dawn\",\"dusk\"]}},"
            + "\"required\":[\"number\",\"place\"],\"additionalProperties\":false}";

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

    /// A class from which openai-java makes the schema.
    @SuppressWarnings("unused")
    static final class Place {
        public Time time = Time.DAWN;
        public boolean isHidden;
        public int number;

        enum Time {
            DAWN,
            DUSK
        }
    }

    private static ChatCompletionCreateParams.Builder ask() {
        return ChatCompletionCreateParams.builder().model(TestServer.MODEL).addUserMessage(TestServer.question(1));
    }

    private static ResponseFormatJsonSchema schema(String schema) {
        Map<String, Object> members =
                JsonMapper.shared().readValue(schema, new TypeReference<Map<String, Object>>() {});
        ResponseFormatJsonSchema.JsonSchema.Schema.Builder built = ResponseFormatJsonSchema.JsonSchema.Schema.builder();
        members.forEach((name, value) -> built.putAdditionalProperty(name, JsonValue.from(value)));
        return ResponseFormatJsonSchema.builder()
                .jsonSchema(ResponseFormatJsonSchema.JsonSchema.builder()
                        .name("answer")
                        .strict(true)
                        .schema(built.build())
                        .build())
                .build();
    }

    private static ChatCompletion.Choice choice(ChatCompletionCreateParams.Builder params) {
        ChatCompletion answer = client.chat().completions().create(params.build());
        answer.validate();
        return answer.choices().getFirst();
    }

    private static void checkDigits(String content) {
        JsonNode json = JsonMapper.shared().readTree(content);
        assertThat(json.propertyNames()).containsExactly("number", "place");
        assertThat(json.path("number").stringValue()).matches("[0-9]{7}");
        assertThat(json.path("place").stringValue()).isIn("dawn", "dusk");
    }

    @Test
    void anAnswerIsValidUnderItsSchema() {
        ChatCompletion.Choice choice = choice(ask().responseFormat(schema(DIGITS)));
        checkDigits(choice.message().content().orElseThrow());
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
    }

    @Test
    void hotAnswersAreValidToo() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(ask().responseFormat(schema(DIGITS)).temperature(2).n(4).build());
        assertThat(answer.choices())
                .hasSize(4)
                .allSatisfy(choice -> checkDigits(choice.message().content().orElseThrow()));
    }

    @Test
    void aClassIsASchema() {
        var answer = client.chat()
                .completions()
                .create(ask().responseFormat(Place.class).build());
        Place place = answer.choices().getFirst().message().content().orElseThrow();
        assertThat(place.time).isNotNull();
    }

    @Test
    void langChain4jReceivesJson() {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .strictJsonSchema(true)
                .maxRetries(0)
                .build();
        JsonSchema schema = JsonSchema.builder()
                .name("Place")
                .rootElement(JsonObjectSchema.builder()
                        .addEnumProperty("time", List.of("dawn", "dusk"))
                        .addBooleanProperty("isHidden")
                        .addIntegerProperty("number")
                        .required("time", "isHidden", "number")
                        .build())
                .build();
        String text = model.chat(ChatRequest.builder()
                        .messages(UserMessage.from(TestServer.question(1)))
                        .responseFormat(ResponseFormat.builder()
                                .type(ResponseFormatType.JSON)
                                .jsonSchema(schema)
                                .build())
                        .build())
                .aiMessage()
                .text();
        JsonNode json = JsonMapper.shared().readTree(text);
        assertThat(json.propertyNames()).containsExactly("time", "isHidden", "number");
        assertThat(json.path("time").stringValue()).isIn("dawn", "dusk");
        assertThat(json.path("isHidden").isBoolean()).isTrue();
        assertThat(json.path("number").isIntegralNumber()).isTrue();
    }

    /// The bias closes the object at once; the bundled model would write strings without an end.
    @Test
    void aJsonObjectIsOne() throws Exception {
        JsonNode tokens = TestServer.json(server.post("/tokenize", "{\"prompt\":\"}\",\"add_special_tokens\":false}"))
                .path("tokens");
        String fields = ",\"response_format\":{\"type\":\"json_object\"},\"logit_bias\":{\""
                + tokens.path(0).intValue() + "\":100}";
        JsonNode choice = TestServer.json(server.post("/v1/chat/completions", TestServer.chat("x", fields)))
                .path("choices")
                .path(0);
        assertThat(choice.path("message").path("content").stringValue()).isEqualTo("{}");
        assertThat(choice.path("finish_reason").stringValue()).isEqualTo("stop");
    }

    @Test
    void aCutJsonObjectBeginsAsOne() {
        ChatCompletion.Choice choice = choice(
                ask().responseFormat(ResponseFormatJsonObject.builder().build()).maxCompletionTokens(4));
        assertThat(choice.message().content().orElseThrow()).startsWith("{");
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
    }

    @Test
    void aCutAnswerSaysSo() {
        ChatCompletion.Choice choice =
                choice(ask().responseFormat(schema(DIGITS)).maxCompletionTokens(3));
        assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
    }

    @Test
    void aSchemaThatCannotBeEnforcedIsRefused() {
        assertThatThrownBy(() -> choice(ask().responseFormat(schema(
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{\"type\":\"string\"}}}}"))))
                .isInstanceOfSatisfying(BadRequestException.class, refused -> {
                    assertThat(refused.param()).contains("response_format");
                    assertThat(refused.code()).contains("unsupported_schema");
                    assertThat(refused).hasMessageContaining("\"not\"").hasMessageContaining("/properties/a");
                });
    }

    @Test
    void aPlainRequestAtTheSameTimeIsNotAffected() throws Exception {
        String alone = choice(ask()).message().content().orElseThrow();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<String> plain = () -> choice(ask()).message().content().orElseThrow();
            Callable<String> json = () -> choice(ask().responseFormat(schema(DIGITS)))
                    .message()
                    .content()
                    .orElseThrow();
            List<Future<String>> answers = threads.invokeAll(List.of(json, plain, json, plain));
            checkDigits(answers.get(0).get());
            assertThat(answers.get(1).get()).isEqualTo(alone);
            checkDigits(answers.get(2).get());
            assertThat(answers.get(3).get()).isEqualTo(alone);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "response_format":{"type":"xml"}                                  | invalid_value         | response_format
            "response_format":{"type":"json_schema"}                          | invalid_value         | response_format
            "response_format":{"type":"json_schema","json_schema":{"name":"a"}} | invalid_value       | response_format
            "response_format":{"type":"json_object"},"ignore_eos":true        | unsupported_parameter | ignore_eos
            "response_format":{"type":"json_object"},"min_tokens":2           | unsupported_parameter | min_tokens
            "tools":[{"type":"custom"}]                                       | unsupported_parameter | tools[0].type
            "tools":[{"type":"function"}]                                     | invalid_value         | tools[0].function
            "tools":[{"type":"function","function":{}}]                       | invalid_value         | tools[0].function.name
            "tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}] | invalid_value | tools[1].function.name
            "tools":[{"type":"function","function":{"name":"a"}}]             | unsupported_parameter | tools
            "tools":[{"type":"function","function":{"name":"a"}}],"response_format":{"type":"json_object"} | unsupported_parameter | tool_choice
            "tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":{"type":"function","function":{"name":"b"}} | invalid_value | tool_choice
            "tools":[{"type":"function","function":{"name":"a","parameters":{"type":"object","if":true}}}],"tool_choice":"required" | unsupported_schema | tools
            "tool_choice":"required"                                          | invalid_value         | tool_choice
            "tool_choice":"always"                                            | invalid_value         | tool_choice
            "tool_choice":{"type":"allowed_tools"}                            | unsupported_parameter | tool_choice
            """, quoteCharacter = '\'')
    void aWrongFieldIsNamed(String fields, String code, String param) throws Exception {
        var response = server.post("/v1/chat/completions", TestServer.chat("x", "," + fields));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        JsonNode error = TestServer.json(response).path("error");
        assertThat(error.path("code").stringValue()).isEqualTo(code);
        assertThat(error.path("param").stringValue()).isEqualTo(param);
    }
}
