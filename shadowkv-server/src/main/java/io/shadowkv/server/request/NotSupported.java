package io.shadowkv.server.request;

import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.json.Fields;
import java.util.List;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/// The fields of requests that the server knows and cannot honour. A request that gives one of them
/// another than its neutral value is refused, so that nothing is dropped silently.
///
/// A field that becomes supported leaves this list.
final class NotSupported {
    /// Both kinds of requests.
    private static final List<Field> COMMON = List.of(new Field("priority", NotSupported::isZero, "leave it out"));

    private static final List<Field> CHAT = List.of(
            new Field("functions", NotSupported::isEmpty, "use tools"),
            new Field("function_call", is("none").or(is("auto")), "use tool_choice"),
            new Field("audio", NotSupported::never, "only text can be answered"),
            new Field(
                    "modalities",
                    value -> value.isArray() && value.size() == 1 && is("text").test(value.path(0)),
                    "only text can be answered"),
            new Field("web_search_options", NotSupported::never, "leave it out"),
            new Field("add_generation_prompt", value -> value.isBoolean() && value.booleanValue(), "leave it out"),
            new Field("continue_final_message", NotSupported::isFalse, "leave it out"),
            new Field("guided_json", NotSupported::never, "use response_format"),
            new Field("guided_regex", NotSupported::never, "ask for the form in the prompt"),
            new Field("guided_grammar", NotSupported::never, "ask for the form in the prompt"),
            new Field("guided_choice", NotSupported::never, "ask for the form in the prompt"));

    private static final List<Field> COMPLETIONS =
            List.of(new Field("best_of", NotSupported::isOne, "use n"), new Field("suffix", is(""), "leave it out"));

    private NotSupported() {}

    /// @param neutral true for values that ask for nothing
    /// @param advice what a client does instead
    private record Field(String name, Predicate<JsonNode> neutral, String advice) {}

    private static boolean never(JsonNode value) {
        return false;
    }

    private static boolean isFalse(JsonNode value) {
        return value.isBoolean() && !value.booleanValue();
    }

    private static boolean isZero(JsonNode value) {
        return value.isNumber() && value.doubleValue() == 0;
    }

    private static boolean isOne(JsonNode value) {
        return value.isNumber() && value.doubleValue() == 1;
    }

    private static boolean isEmpty(JsonNode value) {
        return value.isContainer() && value.isEmpty();
    }

    private static Predicate<JsonNode> is(String text) {
        return value -> value.isString() && value.stringValue().equals(text);
    }

    /// @throws ApiException if a chat request asks for something that is not supported
    static void checkChat(Fields request) {
        check(request, COMMON);
        check(request, CHAT);
    }

    /// @throws ApiException if a completion request asks for something that is not supported
    static void checkCompletion(Fields request) {
        check(request, COMMON);
        check(request, COMPLETIONS);
    }

    private static void check(Fields request, List<Field> fields) {
        for (Field field : fields) {
            request.node(field.name())
                    .filter(value -> !field.neutral().test(value))
                    .ifPresent(value -> {
                        throw refusal(field.name(), field.name(), field.advice());
                    });
        }
    }

    private static ApiException refusal(String param, String what, String advice) {
        return ApiException.invalid(param, "unsupported_parameter", what + " is not supported yet; " + advice);
    }
}
