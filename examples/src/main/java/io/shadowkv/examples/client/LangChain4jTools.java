package io.shadowkv.examples.client;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Lets the model call a function and answers the call:
/// `LangChain4jTools http://127.0.0.1:8080/v1 MODEL QUESTION`.
///
/// The call is required, so that the server enforces its form, and any model can be used. Without a
/// tool choice the model decides, if its chat template shows it the tools. The template must know
/// the results of tools; that of the bundled model does not.
public final class LangChain4jTools {
    private static final Map<String, String> TEMPERATURES = Map.of("Bern", "12 °C", "Oslo", "3 °C");

    private LangChain4jTools() {}

    public static void main(String... arguments) {
        var model = OpenAiChatModel.builder()
                .baseUrl(arguments[0])
                .apiKey("any")
                .modelName(arguments[1])
                .maxCompletionTokens(64)
                .build();
        var tool = ToolSpecification.builder()
                .name("temperature")
                .description("The temperature in a city")
                .parameters(JsonObjectSchema.builder()
                        .addEnumProperty("city", List.copyOf(TEMPERATURES.keySet()))
                        .required("city")
                        .build())
                .build();
        List<ChatMessage> messages = new ArrayList<>(List.of(UserMessage.from(arguments[2])));
        var call = model.chat(ChatRequest.builder()
                        .messages(messages)
                        .toolSpecifications(tool)
                        .toolChoice(ToolChoice.REQUIRED)
                        .build())
                .aiMessage();
        messages.add(call);
        for (var request : call.toolExecutionRequests()) {
            IO.println(request.name() + " " + request.arguments());
            String result = TEMPERATURES.entrySet().stream()
                    .filter(city -> request.arguments().contains(city.getKey()))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse("unknown");
            messages.add(ToolExecutionResultMessage.from(request, result));
        }
        IO.println(model.chat(messages).aiMessage().text().strip());
    }
}
