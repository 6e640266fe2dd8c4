package io.shadowkv.server.error;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The JSON body and the headers of an error.
public final class ErrorBody {
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
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Content-Type", "application/json");
        headers.put("X-Should-Retry", String.valueOf(error.isRetryable()));
        if (error.isRetryable()) {
            headers.put("Retry-After", String.valueOf(error.retryAfterSeconds()));
        }
        return headers;
    }
}
