package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Requests that are wrong, and what the client is told.
class RefusedRequestTest {
    private static final int BODY_LIMIT = 100_000;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(
                options -> options.withLimits(new ServerLimits(BODY_LIMIT, java.time.Duration.ofMinutes(10), 0, 4, 2)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode error(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("X-Should-Retry")).contains("false");
        JsonNode error = JsonMapper.shared().readTree(response.body()).path("error");
        assertThat(error.propertyNames()).containsExactly("message", "type", "param", "code");
        return error;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                                                    | invalid_json            |
            {                                                     | invalid_json            |
            []                                                    | invalid_json            |
            {} {}                                                 | invalid_json            |
            {"messages":[],"messages":[]}                         | invalid_json            |
            {}                                                    | invalid_value           | messages
            {"messages":7}                                        | invalid_value           | messages
            {"messages":[{"role":"king","content":"x"}]}          | invalid_value           | messages[0].role
            {"messages":[{"role":"user"}]}                        | invalid_value           | messages[0].content
            {"messages":[{"role":"user","content":[{"type":"image_url"}]}]} | unsupported_content | messages[0].content[0].type
            {"messages":[{"role":"user","content":"x"}],"n":0}    | invalid_value           | n
            {"messages":[{"role":"user","content":"x"}],"n":5}    | invalid_value           | n
            {"messages":[{"role":"user","content":"x"}],"temperature":-1}   | invalid_value | temperature
            {"messages":[{"role":"user","content":"x"}],"temperature":"hot"} | invalid_value | temperature
            {"messages":[{"role":"user","content":"x"}],"top_p":0} | invalid_value          | top_p
            {"messages":[{"role":"user","content":"x"}],"max_tokens":0} | invalid_value     | max_tokens
            {"messages":[{"role":"user","content":"x"}],"max_tokens":1e99} | invalid_value  | max_tokens
            {"messages":[{"role":"user","content":"x"}],"seed":0.5} | invalid_value         | seed
            {"messages":[{"role":"user","content":"x"}],"stop":[""]} | invalid_value        | stop
            {"messages":[{"role":"user","content":"x"}],"stream":1} | invalid_value         | stream
            {"messages":[{"role":"user","content":"x"}],"logit_bias":{"x":1}} | invalid_value | logit_bias
            {"messages":[{"role":"user","content":"x"}],"logit_bias":{"-1":1}} | invalid_value | logit_bias
            {"messages":[{"role":"user","content":"x"}],"logit_bias":{"99999999":1}} | invalid_value | logit_bias
            {"messages":[{"role":"user","content":"x"}],"logit_bias":{"99999999":1},"stream":true} | invalid_value | logit_bias
            {"messages":[{"role":"user","content":"x"}],"stop_token_ids":[99999999]} | invalid_value | stop_token_ids
            {"messages":[{"role":"user","content":"x"}],"frequency_penalty":2.5} | invalid_value | frequency_penalty
            {"messages":[{"role":"user","content":"x"}],"top_logprobs":2} | invalid_value | top_logprobs
            {"messages":[{"role":"user","content":"x"}],"document":1} | invalid_value | document
            """)
    void aWrongFieldIsNamed(String body, String code, String param) throws Exception {
        JsonNode error = error(server.post("/v1/chat/completions", body), 400);
        assertThat(error.path("code").stringValue()).isEqualTo(code);
        assertThat(error.path("param").isNull() ? null : error.path("param").stringValue())
                .isEqualTo(param);
        assertThat(error.path("type").stringValue()).isEqualTo("invalid_request_error");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"prompt\":[]}",
                "{\"prompt\":[1,\"a\"]}",
                "{\"prompt\":[[1],\"a\",{}]}",
                "{\"prompt\":[99999999]}",
                "{\"prompt\":\"\"}",
                "{\"prompt\":\"x\",\"best_of\":2}",
                "{\"prompt\":\"x\",\"suffix\":\"y\"}",
                "{\"prompt\":\"x\",\"logprobs\":1,\"echo\":true,\"max_tokens\":2}",
                "{\"prompt\":[\"a\",\"b\",\"c\"],\"n\":2}"
            })
    void aWrongCompletionIsRefused(String body) throws Exception {
        HttpResponse<String> response = server.post("/v1/completions", body);
        // Some tokenizers put a beginning in front of an empty text, which can be continued.
        if (!body.contains("\"\"")) {
            error(response, 400);
        }
        assertThat(server.defects).isEmpty();
    }

    @Test
    void neutralValuesAreNoRequests() throws Exception {
        HttpResponse<String> response = server.post(
                "/v1/chat/completions",
                TestServer.chat(
                        "x",
                        ",\"logprobs\":false,\"presence_penalty\":0,\"logit_bias\":{},\"tools\":[],\"top_logprobs\":null,"
                                + "\"response_format\":{\"type\":\"text\"},\"user\":\"u\",\"store\":true,\"metadata\":{},"
                                + "\"service_tier\":\"auto\",\"parallel_tool_calls\":true,\"x_unknown\":[1]"));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }

    @Test
    void malformedUtf8IsRefused() throws Exception {
        byte[] body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a?b\"}]}".getBytes(StandardCharsets.US_ASCII);
        body[41] = (byte) 0xFF;
        assertThat(error(server.post("/v1/chat/completions", body), 400)
                        .path("code")
                        .stringValue())
                .isEqualTo("invalid_utf8");
    }

    @Test
    void deepNestingIsRefused() throws Exception {
        String body = "{\"metadata\":" + "[".repeat(40_000) + "]".repeat(40_000) + "}";
        assertThat(error(server.post("/v1/chat/completions", body), 400)
                        .path("code")
                        .stringValue())
                .isEqualTo("invalid_json");
    }

    @Test
    void aLargeBodyIsRefused() throws Exception {
        String body = TestServer.chat("x".repeat(BODY_LIMIT), "");
        assertThat(error(server.post("/v1/chat/completions", body), 413)
                        .path("code")
                        .stringValue())
                .isEqualTo("request_too_large");
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
    }

    @Test
    void unknownPathsAndMethodsAreErrorsToo() throws Exception {
        assertThat(error(server.get("/v1/unknown"), 404).path("code").stringValue())
                .isEqualTo("unknown_url");
        assertThat(error(server.get("/v1/chat/completions"), 405).path("code").stringValue())
                .isEqualTo("method_not_allowed");
    }

    @Test
    void aKeyIsAsked() throws Exception {
        try (TestServer own = TestServer.start(options -> options.withApiKeys(List.of("first", "second")))) {
            assertThat(error(own.get("/v1/models"), 401).path("code").stringValue())
                    .isEqualTo("invalid_api_key");
            assertThat(own.get("/health").statusCode()).isEqualTo(200);
            var client = com.openai.client.okhttp.OpenAIOkHttpClient.builder()
                    .baseUrl(own.base())
                    .apiKey("second")
                    .build();
            assertThat(client.models().list().data()).hasSize(2);
            client.close();
        }
    }
}
