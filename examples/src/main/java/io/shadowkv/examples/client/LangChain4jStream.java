package io.shadowkv.examples.client;

import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.concurrent.CompletableFuture;

/// Prints an answer while it is generated: `LangChain4jStream http://127.0.0.1:8080/v1 MODEL QUESTION`.
public final class LangChain4jStream {
    private LangChain4jStream() {}

    public static void main(String... arguments) {
        var model = OpenAiStreamingChatModel.builder()
                .baseUrl(arguments[0])
                .apiKey("any")
                .modelName(arguments[1])
                .maxCompletionTokens(64)
                .build();
        var end = new CompletableFuture<ChatResponse>();
        model.chat(arguments[2], new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String part) {
                IO.print(part);
            }

            @Override
            public void onCompleteResponse(ChatResponse answer) {
                end.complete(answer);
            }

            @Override
            public void onError(Throwable failure) {
                end.completeExceptionally(failure);
            }
        });
        IO.println("\nended by " + end.join().finishReason());
    }
}
