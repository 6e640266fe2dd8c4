package io.shadowkv.examples.client;

import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;

/// Asks with openai-java, whole and streamed: `OpenAiChat http://127.0.0.1:8080/v1 MODEL QUESTION`.
public final class OpenAiChat {
    private OpenAiChat() {}

    public static void main(String... arguments) {
        // Any key will do, unless the server has --api-key.
        var client =
                OpenAIOkHttpClient.builder().baseUrl(arguments[0]).apiKey("any").build();
        var question = ChatCompletionCreateParams.builder()
                .model(arguments[1])
                .addUserMessage(arguments[2])
                .maxCompletionTokens(64)
                .build();

        var answer = client.chat().completions().create(question);
        IO.println(answer.choices().getFirst().message().content().orElse("").strip());

        // Closing the stream ends the generation.
        try (var chunks = client.chat().completions().createStreaming(question)) {
            chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .forEach(choice -> IO.print(choice.delta().content().orElse("")));
        }
        IO.println();
        client.close();
    }
}
