package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// LangChain4j against the server with the bundled model.
class LangChain4jTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static OpenAiChatModel model() {
        return OpenAiChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .maxRetries(2)
                .build();
    }

    @Test
    void chats() {
        ChatResponse answer = model().chat(List.of(
                SystemMessage.from("You are a helpful assistant"), UserMessage.from(TestServer.question(1))));
        assertThat(answer.aiMessage().text()).contains(TestServer.ANSWER);
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(answer.tokenUsage().inputTokenCount()).isPositive();
        assertThat(answer.tokenUsage().outputTokenCount()).isPositive();
    }

    @Test
    void aConversationIsRead() {
        ChatResponse answer = model().chat(List.of(
                UserMessage.from("hello"), AiMessage.from("hello"), UserMessage.from(TestServer.question(1))));
        assertThat(answer.aiMessage().text()).isNotBlank();
    }

    @Test
    void streams() throws Exception {
        StringBuilder parts = new StringBuilder();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .modelName(TestServer.MODEL)
                .build()
                .chat(TestServer.question(1), new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String part) {
                        parts.append(part);
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        end.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        end.completeExceptionally(error);
                    }
                });
        ChatResponse answer = end.get(4, TimeUnit.MINUTES);
        assertThat(parts).contains(TestServer.ANSWER);
        assertThat(answer.aiMessage().text()).isEqualTo(parts.toString());
        assertThat(answer.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(answer.tokenUsage().outputTokenCount()).isPositive();
    }

    @Test
    void aRefusalIsAnError() {
        assertThatThrownBy(() -> OpenAiChatModel.builder()
                        .baseUrl(server.base())
                        .apiKey("any")
                        .modelName(TestServer.MODEL)
                        .customParameters(java.util.Map.of("guided_regex", "a+"))
                        .build()
                        .chat("x"))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("guided_regex is not supported yet");
    }
}
