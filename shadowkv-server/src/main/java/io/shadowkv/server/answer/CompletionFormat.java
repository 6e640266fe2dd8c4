package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.server.json.JsonBody;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers of `/v1/completions`.
///
/// @param id identifies the answer
/// @param model name of the model
/// @param created seconds since 1970
/// @param echoes texts of the prompts, choice by choice, with which the answers begin; empty if they
///     are not asked for
/// @param texts writes tokens for log probabilities
public record CompletionFormat(String id, String model, long created, List<String> echoes, TokenTexts texts)
        implements AnswerFormat {
    public CompletionFormat {
        echoes = List.copyOf(echoes);
    }

    @Override
    public ObjectNode emptyChunk() {
        ObjectNode head = JsonBody.object();
        head.put("id", id);
        head.put("object", "text_completion");
        head.put("created", created);
        head.put("model", model);
        head.putArray("choices");
        return head;
    }

    private ObjectNode chunk(int choice, String text, String finishReason) {
        ObjectNode chunk = emptyChunk();
        add(chunk.withArray("choices"), choice, text, finishReason, List.of());
        return chunk;
    }

    private void add(ArrayNode choices, int choice, String text, String finishReason, List<TokenLogprobs> logprobs) {
        ObjectNode one = choices.addObject();
        one.put("index", choice);
        one.put("text", text);
        one.set("logprobs", logprobs(logprobs));
        if (finishReason.isEmpty()) {
            one.putNull("finish_reason");
        } else {
            one.put("finish_reason", finishReason);
        }
    }

    /// Null if none were requested. `text_offset` is null: a token may be a part of a character, and then
    /// has no place in the text.
    private JsonNode logprobs(List<TokenLogprobs> logprobs) {
        if (logprobs.isEmpty()) {
            return NullNode.getInstance();
        }
        ObjectNode node = emptyLogprobs();
        logprobs.forEach(one -> add(node, one));
        return node;
    }

    private static ObjectNode emptyLogprobs() {
        ObjectNode node = JsonBody.object();
        node.putArray("tokens");
        node.putArray("token_logprobs");
        node.putArray("top_logprobs");
        node.putNull("text_offset");
        return node;
    }

    private void add(ObjectNode node, TokenLogprobs one) {
        node.withArray("tokens").add(texts.of(one.id()));
        node.withArray("token_logprobs").add(TokenTexts.finite(one.logprob()));
        ObjectNode top = node.withArray("top_logprobs").addObject();
        one.top().forEach(other -> top.put(texts.of(other.id()), TokenTexts.finite(other.logprob())));
    }

    /// The answer to a request for the log probabilities of prompts. The first token of each has none,
    /// which OpenAI writes as null.
    public ObjectNode scored(List<ScoredPrompt> prompts) {
        ObjectNode answer = emptyChunk();
        ArrayNode choices = answer.withArray("choices");
        long promptTokens = 0;
        long generatedTokens = 0;
        for (ScoredPrompt prompt : prompts) {
            add(choices, choices.size(), prompt.text(), "length", List.of());
            ObjectNode logprobs = emptyLogprobs();
            logprobs.withArray("tokens").add(texts.of(prompt.first()));
            logprobs.withArray("token_logprobs").addNull();
            logprobs.withArray("top_logprobs").addNull();
            prompt.rest().forEach(one -> add(logprobs, one));
            ((ObjectNode) choices.get(choices.size() - 1)).set("logprobs", logprobs);
            promptTokens += prompt.promptTokens();
            generatedTokens += prompt.generatedTokens();
        }
        answer.set("usage", new Usage(promptTokens, generatedTokens, 0, 0).json());
        return answer;
    }

    @Override
    public Optional<ObjectNode> firstChunk(int choice) {
        return echoes.isEmpty() ? Optional.empty() : Optional.of(chunk(choice, echoes.get(choice), ""));
    }

    @Override
    public ObjectNode textChunk(int choice, String text, List<TokenLogprobs> logprobs) {
        ObjectNode chunk = emptyChunk();
        add(chunk.withArray("choices"), choice, text, "", logprobs);
        return chunk;
    }

    @Override
    public ObjectNode lastChunk(int choice, String finishReason) {
        return chunk(choice, "", finishReason);
    }

    @Override
    public ObjectNode whole(List<Completion> completions, Usage usage) {
        ObjectNode answer = emptyChunk();
        ArrayNode choices = answer.withArray("choices");
        for (int i = 0; i < completions.size(); i++) {
            Completion completion = completions.get(i);
            String echo = echoes.isEmpty() ? "" : echoes.get(i);
            add(choices, i, echo + completion.text(), FinishReasons.of(completion), completion.logprobs());
        }
        answer.set("usage", usage.json());
        return answer;
    }
}
