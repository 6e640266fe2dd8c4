package io.shadowkv.examples.client;

import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.openai.OpenAiChatModel;

/// Asks with LangChain4j: `LangChain4jChat http://127.0.0.1:8080/v1 MODEL QUESTION`.
public final class LangChain4jChat {
    private LangChain4jChat() {}

    public static void main(String... arguments) {
        var model = OpenAiChatModel.builder()
                .baseUrl(arguments[0])
                .apiKey("any")
                .modelName(arguments[1])
                .maxCompletionTokens(64)
                .build();
        var answer = model.chat(SystemMessage.from("You are a helpful assistant"), UserMessage.from(arguments[2]));
        IO.println(answer.aiMessage().text().strip());
        IO.println(answer.tokenUsage().inputTokenCount() + " tokens read, "
                + answer.tokenUsage().outputTokenCount() + " generated");
    }
}
