package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.server.json.JsonBody;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.NullNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers of `/v1/chat/completions`.
///
/// @param id identifies the answer
/// @param model name of the model
/// @param created seconds since 1970
/// @param texts writes tokens for log probabilities
public record ChatFormat(String id, String model, long created, TokenTexts texts) implements AnswerFormat {
    private ObjectNode head(String object) {
        ObjectNode head = JsonBody.object();
        head.put("id", id);
        head.put("object", object);
        head.put("created", created);
        head.put("model", model);
        return head;
    }

    @Override
    public ObjectNode emptyChunk() {
        ObjectNode chunk = head("chat.completion.chunk");
        chunk.putArray("choices");
        return chunk;
    }

    /// Null if none were requested.
    private JsonNode logprobs(List<TokenLogprobs> logprobs) {
        if (logprobs.isEmpty()) {
            return NullNode.getInstance();
        }
        ObjectNode node = JsonBody.object();
        ArrayNode content = node.putArray("content");
        for (TokenLogprobs one : logprobs) {
            ObjectNode token = content.addObject();
            put(token, one.id(), one.logprob());
            ArrayNode top = token.putArray("top_logprobs");
            one.top().forEach(other -> put(top.addObject(), other.id(), other.logprob()));
        }
        node.putNull("refusal");
        return node;
    }

    private void put(ObjectNode node, int id, double logprob) {
        String text = texts.of(id);
        node.put("token", text);
        node.put("logprob", TokenTexts.finite(logprob));
        if (TokenTexts.isWhole(text)) {
            ArrayNode bytes = node.putArray("bytes");
            for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
                bytes.add(Byte.toUnsignedInt(one));
            }
        } else {
            node.putNull("bytes");
        }
    }

    ObjectNode chunk(int choice, ObjectNode delta, String finishReason, List<TokenLogprobs> logprobs) {
        ObjectNode chunk = emptyChunk();
        ObjectNode one = chunk.withArray("choices").addObject();
        one.put("index", choice);
        one.set("delta", delta);
        one.set("logprobs", logprobs(logprobs));
        if (finishReason.isEmpty()) {
            one.putNull("finish_reason");
        } else {
            one.put("finish_reason", finishReason);
        }
        return chunk;
    }

    @Override
    public Optional<ObjectNode> firstChunk(int choice) {
        ObjectNode delta = JsonBody.object();
        delta.put("role", "assistant");
        delta.put("content", "");
        return Optional.of(chunk(choice, delta, "", List.of()));
    }

    @Override
    public ObjectNode textChunk(int choice, String text, List<TokenLogprobs> logprobs) {
        ObjectNode delta = JsonBody.object();
        delta.put("content", text);
        return chunk(choice, delta, "", logprobs);
    }

    @Override
    public ObjectNode lastChunk(int choice, String finishReason) {
        return chunk(choice, JsonBody.object(), finishReason, List.of());
    }

    @Override
    public ObjectNode whole(List<Completion> completions, Usage usage) {
        ObjectNode answer = head("chat.completion");
        ArrayNode choices = answer.putArray("choices");
        for (Completion completion : completions) {
            ObjectNode choice = choices.addObject();
            choice.put("index", choices.size() - 1);
            ObjectNode message = choice.putObject("message");
            message.put("role", "assistant");
            message.put("content", completion.text());
            message.putNull("refusal");
            choice.set("logprobs", logprobs(completion.logprobs()));
            choice.put("finish_reason", FinishReasons.of(completion));
        }
        answer.set("usage", usage.json());
        return answer;
    }
}
