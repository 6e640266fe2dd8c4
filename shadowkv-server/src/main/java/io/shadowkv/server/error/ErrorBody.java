package io.shadowkv.server.error;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The JSON body and the headers of an error, and the headers of all JSON answers.
public final class ErrorBody {
    /// The header of every answer that is one JSON value.
    public static final Map<String, String> JSON_HEADERS = Map.of("Content-Type", "application/json");

    private static final JsonMapper MAPPER = JsonMapper.shared();

    private ErrorBody() {}

    /// `{"error":{"message","type","param","code"}}`, always with all four keys.
    public static ObjectNode of(ApiException error) {
        ObjectNode body = MAPPER.createObjectNode();
        ObjectNode fields = body.putObject("error");
        fields.put("message", error.text());
        fields.put("type", error.type());
        fields.put("param", error.param());
        fields.put("code", error.code());
        return body;
    }

    /// `X-Should-Retry` keeps openai-java from reading a long prompt three times in vain.
    public static Map<String, String> headers(ApiException error) {
        Map<String, String> headers = new LinkedHashMap<>(JSON_HEADERS);
        headers.put("X-Should-Retry", String.valueOf(error.isRetryable()));
        if (error.isRetryable()) {
            headers.put("Retry-After", String.valueOf(error.retryAfterSeconds()));
        }
        return headers;
    }
}
