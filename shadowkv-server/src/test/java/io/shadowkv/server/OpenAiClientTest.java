package io.shadowkv.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIServiceException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// openai-java against the server with the bundled model.
class OpenAiClientTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base())
                .apiKey("any")
                .maxRetries(2)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @BeforeEach
    void forget() {
        server.access.clear();
    }

    private static ChatCompletionCreateParams.Builder ask(String content) {
        return ChatCompletionCreateParams.builder().model(TestServer.MODEL).addUserMessage(content);
    }

    @Test
    void answersAQuestion() {
        ChatCompletion answer =
                client.chat().completions().create(ask(TestServer.question(1)).build());
        answer.validate();
        assertThat(answer.choices()).hasSize(1);
        assertThat(answer.choices().getFirst().message().content().orElseThrow())
                .contains(TestServer.ANSWER);
        assertThat(answer.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(answer.model()).isEqualTo(TestServer.MODEL);
        var usage = answer.usage().orElseThrow();
        assertThat(usage.promptTokens()).isGreaterThan(50);
        assertThat(usage.completionTokens()).isGreaterThan(5);
        assertThat(usage.totalTokens()).isEqualTo(usage.promptTokens() + usage.completionTokens());
        assertThat(usage.promptTokensDetails().orElseThrow().cachedTokens()).isPresent();
    }

    @Test
    void streamsTheSameAnswer() {
        ChatCompletionCreateParams.Builder params = ask(TestServer.question(1));
        String whole = client.chat()
                .completions()
                .create(params.build())
                .choices()
                .getFirst()
                .message()
                .content()
                .orElseThrow();
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        List<ChatCompletionChunk> chunks = stream(params.streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build());
        chunks.forEach(chunk -> {
            chunk.validate();
            accumulator.accumulate(chunk);
        });
        ChatCompletion answer = accumulator.chatCompletion();
        assertThat(answer.choices().getFirst().message().content()).contains(whole);
        assertThat(answer.usage().orElseThrow().completionTokens()).isPositive();
        assertThat(chunks.getLast().choices()).isEmpty();
        assertThat(chunks.subList(0, chunks.size() - 1)).allSatisfy(chunk -> {
            assertThat(chunk.usage()).isEmpty();
            assertThat(chunk.choices()).hasSize(1);
        });
    }

    private static List<ChatCompletionChunk> stream(ChatCompletionCreateParams params) {
        try (StreamResponse<ChatCompletionChunk> response =
                client.chat().completions().createStreaming(params)) {
            return response.stream().toList();
        }
    }

    /// OpenAI has deprecated seeds; other servers have them.
    @SuppressWarnings("deprecation")
    @Test
    void severalAnswersHaveSeedsOfTheirOwn() {
        ChatCompletionCreateParams.Builder params =
                ask("Tell me a story.").temperature(1.5).maxCompletionTokens(12);
        List<String> together = texts(params.n(3).seed(11).build());
        List<String> alone = new ArrayList<>();
        for (int seed = 11; seed < 14; seed++) {
            alone.addAll(texts(params.n(1).seed(seed).build()));
        }
        assertThat(together).isEqualTo(alone);
        assertThat(alone).doesNotHaveDuplicates();
        assertThat(texts(params.n(3).seed(11).build())).isEqualTo(together);
    }

    private static List<String> texts(ChatCompletionCreateParams params) {
        return client.chat().completions().create(params).choices().stream()
                .map(choice -> choice.message().content().orElseThrow())
                .toList();
    }

    /// OpenAI has deprecated seeds; other servers have them.
    @SuppressWarnings("deprecation")
    @Test
    void severalAnswersEndTogetherInAStream() {
        List<ChatCompletionChunk> chunks = stream(ask("Tell me a story.")
                .n(2)
                .seed(1)
                .temperature(1)
                .maxCompletionTokens(8)
                .build());
        List<Boolean> finished = chunks.stream()
                .map(chunk -> chunk.choices().getFirst().finishReason().isPresent())
                .toList();
        assertThat(finished.subList(0, finished.size() - 2)).doesNotContain(true);
        assertThat(finished.subList(finished.size() - 2, finished.size())).containsOnly(true);
        assertThat(chunks.stream().map(chunk -> chunk.choices().getFirst().index()))
                .contains(0L, 1L);
    }

    @Test
    void nonAsciiTextArrives() {
        String text = "Grüße, 你好, 🙂 und \u0000 auch";
        var params = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt(text)
                .echo(true)
                .maxTokens(1)
                .build();
        assertThat(client.completions().create(params).choices().getFirst().text())
                .startsWith(text);
    }

    @Test
    void idsAreContinuedLikeTheirText() {
        int[] ids = server.engine.encode("One of the special magic numbers");
        var byText = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt("One of the special magic numbers")
                .maxTokens(4)
                .build();
        var byIds = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .promptOfArrayOfTokens(
                        java.util.Arrays.stream(ids).asLongStream().boxed().toList())
                .maxTokens(4)
                .build();
        assertThat(client.completions().create(byIds).choices().getFirst().text())
                .isEqualTo(
                        client.completions().create(byText).choices().getFirst().text());
    }

    @Test
    void stopStringsEndTheAnswer() {
        ChatCompletion answer = client.chat()
                .completions()
                .create(ask(TestServer.question(1)).stop("4071").build());
        assertThat(answer.choices().getFirst().message().content().orElseThrow())
                .endsWith("is ")
                .doesNotContain("4071");
    }

    @Test
    void logProbabilitiesComeWithEachToken() {
        ChatCompletionCreateParams.Builder params =
                ask(TestServer.question(1)).logprobs(true).topLogprobs(3);
        ChatCompletion answer = client.chat().completions().create(params.build());
        var tokens =
                answer.choices().getFirst().logprobs().orElseThrow().content().orElseThrow();
        assertThat(tokens).hasSize((int) answer.usage().orElseThrow().completionTokens());
        assertThat(tokens).allSatisfy(token -> {
            assertThat(token.topLogprobs()).hasSize(3);
            // The answer is greedy.
            assertThat(token.topLogprobs().getFirst().token()).isEqualTo(token.token());
            assertThat(token.logprob()).isBetween(-20.0, 0.0);
        });
        List<String> streamed = stream(params.build()).stream()
                .flatMap(chunk -> chunk.choices().getFirst().logprobs().stream())
                .flatMap(logprobs -> logprobs.content().orElseThrow().stream())
                .map(token -> token.token())
                .toList();
        assertThat(streamed)
                .isEqualTo(tokens.stream().map(token -> token.token()).toList());
        var completion = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .prompt("One of the special magic numbers")
                        .logprobs(2)
                        .maxTokens(3)
                        .build());
        assertThat(completion
                        .choices()
                        .getFirst()
                        .logprobs()
                        .orElseThrow()
                        .tokenLogprobs()
                        .orElseThrow())
                .hasSize(3);
    }

    @Test
    void aBiasedTokenIsDrawn() {
        int id = server.engine.encode(" grass")[0];
        var answer = client.chat()
                .completions()
                .create(ask(TestServer.question(1))
                        .maxCompletionTokens(2)
                        .putAdditionalBodyProperty(
                                "logit_bias", com.openai.core.JsonValue.from(java.util.Map.of(String.valueOf(id), 100)))
                        .build());
        String word = server.engine.tokenizer().decode(new int[] {id, id}, true);
        assertThat(answer.choices().getFirst().message().content()).contains(word);
    }

    /// What the engine kept of the first turn is not read again.
    @Test
    void aSecondTurnIsFoundInTheCache() {
        ChatCompletionCreateParams.Builder params = ask(TestServer.question(12));
        ChatCompletion first = client.chat().completions().create(params.build());
        String answer = first.choices().getFirst().message().content().orElseThrow();
        ChatCompletion second = client.chat()
                .completions()
                .create(params.addAssistantMessage(answer)
                        .addUserMessage("Again?")
                        .maxCompletionTokens(2)
                        .build());
        assertThat(second.usage()
                        .orElseThrow()
                        .promptTokensDetails()
                        .orElseThrow()
                        .cachedTokens()
                        .orElseThrow())
                .isGreaterThanOrEqualTo(first.usage().orElseThrow().promptTokens());
    }

    @Test
    void aWrongModelIsNotRetried() throws Exception {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(ask("x").model("nobody").build()))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("nobody")
                .satisfies(e -> assertThat(((OpenAIServiceException) e).code()).contains("model_not_found"));
        server.failedOnce("error=model_not_found");
    }

    @Test
    void whatIsNotSupportedIsRefusedOnce() throws Exception {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(ask("x").putAdditionalBodyProperty("guided_regex", com.openai.core.JsonValue.from("d"))
                                .build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("not supported yet")
                .satisfies(e -> {
                    assertThat(((OpenAIServiceException) e).param()).contains("guided_regex");
                    assertThat(((OpenAIServiceException) e).type()).contains("invalid_request_error");
                });
        server.failedOnce("error=unsupported_parameter");
    }

    @Test
    void aPromptBeyondTheContextIsRefused() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(ask("x").maxCompletionTokens(40_000).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("32,768")
                .hasMessageContaining("40,000")
                .satisfies(e -> assertThat(((OpenAIServiceException) e).code()).contains("context_length_exceeded"));
    }

    @Test
    void modelsAreListed() {
        assertThat(client.models().list().data().stream().map(model -> model.id()))
                .containsExactly(TestServer.MODEL, "alias");
    }

    /// Steps after the close are counted.
    @Test
    void aClosedStreamEndsItsGeneration() throws InterruptedException {
        server.awaitIdle();
        long before = server.server.generatedTokens();
        int received = 0;
        var params = ask("hello ".repeat(20))
                .maxCompletionTokens(20_000)
                .putAdditionalBodyProperty("ignore_eos", com.openai.core.JsonValue.from(true))
                .build();
        try (StreamResponse<ChatCompletionChunk> response =
                client.chat().completions().createStreaming(params)) {
            var chunks = response.stream().iterator();
            while (received < 10) {
                received += chunks.next()
                                .choices()
                                .getFirst()
                                .delta()
                                .content()
                                .orElse("")
                                .isEmpty()
                        ? 0
                        : 1;
            }
        }
        long atClose = server.server.generatedTokens();
        server.logged("client_gone=true");
        server.awaitIdle();
        long end = server.server.generatedTokens();
        assertThat(end - before).isGreaterThanOrEqualTo(10).isLessThan(20_000);
        assertThat(end - atClose).as("steps after the close").isLessThan(200);
    }
}
