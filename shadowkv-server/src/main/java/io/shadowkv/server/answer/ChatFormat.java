package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.server.json.JsonBody;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers of `/v1/chat/completions`.
///
/// @param id identifies the answer
/// @param model name of the model
/// @param created seconds since 1970
public record ChatFormat(String id, String model, long created) implements AnswerFormat {
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

    private ObjectNode chunk(int choice, ObjectNode delta, String finishReason) {
        ObjectNode chunk = emptyChunk();
        ObjectNode one = chunk.withArray("choices").addObject();
        one.put("index", choice);
        one.set("delta", delta);
        one.putNull("logprobs");
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
        return Optional.of(chunk(choice, delta, ""));
    }

    @Override
    public ObjectNode textChunk(int choice, String text) {
        ObjectNode delta = JsonBody.object();
        delta.put("content", text);
        return chunk(choice, delta, "");
    }

    @Override
    public ObjectNode lastChunk(int choice, String finishReason) {
        return chunk(choice, JsonBody.object(), finishReason);
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
            choice.putNull("logprobs");
            choice.put("finish_reason", FinishReasons.of(completion));
        }
        answer.set("usage", usage.json());
        return answer;
    }
}
