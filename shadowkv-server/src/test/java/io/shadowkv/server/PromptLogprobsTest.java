package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// `echo` with `logprobs`: the requests that evaluation harnesses send.
class PromptLogprobsTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(
                EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT),
                ServerOptions.DEFAULT.withPort(0).withPingInterval(Duration.ofMillis(50)));
    }

    @AfterAll
    static void stop() {
        assertThat(server.defects).isEmpty();
        server.close();
    }

    private static JsonNode ok(String body) throws Exception {
        HttpResponse<String> response = server.post("/v1/completions", body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return TestServer.json(response);
    }

    private static List<Double> values(JsonNode choice) {
        return choice.path("logprobs")
                .path("token_logprobs")
                .valueStream()
                .map(value -> value.isNull() ? null : value.doubleValue())
                .toList();
    }

    /// Generated tokens have the same log probabilities when they are read as a part of a prompt.
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aPromptHasTheLogprobsOfItsGeneration(int newTokens) throws Exception {
        JsonNode generated =
                ok("{\"prompt\":\"The grass is green. The sky\",\"max_tokens\":5,\"logprobs\":2,\"temperature\":0,"
                        + "\"ignore_eos\":true}");
        String continuation = generated.path("choices").path(0).path("text").stringValue();
        JsonNode whole = TestServer.json(
                server.post("/tokenize", "{\"prompt\":\"The grass is green. The sky" + continuation + "\"}"));
        int prompt = TestServer.json(server.post("/tokenize", "{\"prompt\":\"The grass is green. The sky\"}"))
                .path("count")
                .intValue();
        JsonNode scored = ok("{\"prompt\":[" + whole.path("tokens") + "],\"max_tokens\":" + newTokens
                + ",\"echo\":true,\"logprobs\":2,\"temperature\":0,\"seed\":1}");
        JsonNode choice = scored.path("choices").path(0);
        List<Double> values = values(choice);
        int tokens = whole.path("count").intValue();
        assertThat(values).hasSize(tokens + newTokens);
        assertThat(values.getFirst()).isNull();
        assertThat(choice.path("logprobs").path("top_logprobs").path(0).isNull())
                .isTrue();
        assertThat(choice.path("text").stringValue()).startsWith("The grass is green. The sky" + continuation);
        assertThat(choice.path("finish_reason").stringValue()).isEqualTo("length");
        assertThat(scored.path("usage").path("prompt_tokens").intValue()).isEqualTo(tokens);
        assertThat(scored.path("usage").path("completion_tokens").intValue()).isEqualTo(newTokens);
        List<Double> expected = values(generated.path("choices").path(0));
        for (int i = 0; i < expected.size(); i++) {
            assertThat(values.get(prompt + i)).isCloseTo(expected.get(i), within(2e-3));
        }
        // Greedy: each generated token is the first of the most likely ones.
        IntStream.range(prompt, prompt + expected.size()).forEach(i -> {
            double best = choice.path("logprobs")
                    .path("top_logprobs")
                    .path(i)
                    .valueStream()
                    .mapToDouble(JsonNode::doubleValue)
                    .max()
                    .orElseThrow();
            assertThat(values.get(i)).isEqualTo(best);
        });
        assertThat(choice.path("logprobs").path("tokens").size()).isEqualTo(values.size());
    }

    /// The prompt takes several pings to read; the client skips the blanks.
    @Test
    void theRealClientReadsThem() throws Exception {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .build();
        Completion answer = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .promptOfArrayOfStrings(List.of("One two three", TestServer.text(60)))
                        .maxTokens(1)
                        .temperature(0)
                        .echo(true)
                        .logprobs(1)
                        .build());
        assertThat(answer.choices()).hasSize(2);
        assertThat(answer.choices().getFirst().text()).startsWith("One two three");
        assertThat(answer.choices().get(1).text()).startsWith(TestServer.text(60));
        client.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "max_tokens":2                      | max_tokens
            "max_completion_tokens":2           | max_completion_tokens
            "x":1                               | max_tokens
            "max_tokens":0,"n":2                | n
            "max_tokens":0,"stream":true        | stream
            "max_tokens":0,"document":"d"       | document
            "max_tokens":1,"temperature":1      | temperature
            """)
    void whatIsNotSupportedIsRefused(String fields, String param) throws Exception {
        HttpResponse<String> response =
                server.post("/v1/completions", "{\"prompt\":\"x\",\"echo\":true,\"logprobs\":1," + fields + "}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        JsonNode error = TestServer.json(response).path("error");
        assertThat(error.path("code").stringValue()).isEqualTo("unsupported_parameter");
        assertThat(error.path("param").stringValue()).isEqualTo(param);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"prompt\":[99999999],\"echo\":true,\"logprobs\":1,\"max_tokens\":0}",
                "{\"prompt\":\"x\",\"max_tokens\":0}",
                "{\"prompt\":\"x\",\"max_tokens\":0,\"echo\":true}"
            })
    void aWrongRequestIsRefused(String body) throws Exception {
        assertThat(server.post("/v1/completions", body).statusCode()).isEqualTo(400);
    }

    @Test
    void aPromptThatIsTooLongIsRefused() throws Exception {
        String ids = "[" + "1,".repeat(server.engine.contextTokens()) + "1]";
        HttpResponse<String> response = server.post(
                "/v1/completions", "{\"prompt\":" + ids + ",\"echo\":true,\"logprobs\":1,\"max_tokens\":0}");
        assertThat(response.body()).contains("context_length_exceeded");
    }

    /// Scoring does not wait behind a long answer, and nobody waits behind a scoring that waits.
    @Test
    void whileOthersRunItIsRefused() throws Exception {
        try (RawClient running = new RawClient(server)) {
            running.post(
                    "/v1/chat/completions",
                    TestServer.chat("hello", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":20000"));
            running.readUntil("\"delta\":{\"content\":");
            HttpResponse<String> response =
                    server.post("/v1/completions", "{\"prompt\":\"x\",\"echo\":true,\"logprobs\":1,\"max_tokens\":0}");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
            assertThat(response.body()).contains("engine_busy");
            assertThat(response.headers().firstValue("X-Should-Retry")).contains("true");
            running.vanish();
        }
        server.awaitIdle();
        ok("{\"prompt\":\"x\",\"echo\":true,\"logprobs\":1,\"max_tokens\":0}");
    }
}
