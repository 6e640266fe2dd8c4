package io.shadowkv.examples.client;

import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;

/// Asks with Spring AI, whole and streamed: `SpringAiChat http://127.0.0.1:8080/v1 MODEL QUESTION`.
///
/// In a Spring Boot application the same is set with `spring.ai.openai.base-url`,
/// `spring.ai.openai.api-key` and `spring.ai.openai.chat.model`.
public final class SpringAiChat {
    private SpringAiChat() {}

    public static void main(String... arguments) {
        var model = OpenAiChatModel.builder()
                .options(OpenAiChatOptions.builder()
                        .baseUrl(arguments[0])
                        .apiKey("any")
                        .model(arguments[1])
                        .maxCompletionTokens(64)
                        .build())
                .build();
        var answer = model.call(new Prompt(arguments[2]));
        IO.println(answer.getResult().getOutput().getText().strip());
        var usage = answer.getMetadata().getUsage();
        IO.println(usage.getPromptTokens() + " tokens read, " + usage.getCompletionTokens() + " generated");

        model.stream(arguments[2]).doOnNext(IO::print).blockLast();
        IO.println();
    }
}
