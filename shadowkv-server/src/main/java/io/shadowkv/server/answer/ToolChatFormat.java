package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.sampling.TokenLogprobs;
import io.shadowkv.server.json.JsonBody;
import io.shadowkv.server.structured.AnswerPart;
import io.shadowkv.server.structured.CallReader;
import io.shadowkv.server.structured.Thinking;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers of `/v1/chat/completions` that may have thoughts or calls of tools. Used by one thread.
public final class ToolChatFormat implements AnswerFormat {
    /// DeepSeek's name, which most servers and clients share.
    private static final String REASONING = "reasoning_content";

    private final ChatFormat chat;
    private final Supplier<CallReader> readers;
    private final Thinking thinking;
    private final Map<Integer, CallReader> byChoice = new HashMap<>();

    /// @param chat forms of text that is not a call
    /// @param readers makes a reader for each answer
    /// @param thinking whether answers begin with thoughts
    public ToolChatFormat(ChatFormat chat, Supplier<CallReader> readers, Thinking thinking) {
        this.chat = chat;
        this.readers = readers;
        this.thinking = thinking;
    }

    private CallReader reader(int choice) {
        return byChoice.computeIfAbsent(choice, key -> readers.get());
    }

    @Override
    public Optional<ObjectNode> firstChunk(int choice) {
        return chat.firstChunk(choice);
    }

    @Override
    public ObjectNode textChunk(int choice, String text, List<TokenLogprobs> logprobs) {
        return chat.textChunk(choice, text, logprobs);
    }

    @Override
    public List<ObjectNode> chunks(int choice, String text, List<TokenLogprobs> logprobs) {
        List<AnswerPart> parts = reader(choice).push(text);
        if (parts.isEmpty() && !logprobs.isEmpty()) {
            return List.of(chat.chunk(choice, JsonBody.object(), "", logprobs));
        }
        return chunks(choice, parts, logprobs);
    }

    @Override
    public List<ObjectNode> restChunks(int choice) {
        return chunks(choice, reader(choice).end(), List.of());
    }

    /// One chunk for each part. The log probabilities come with the first.
    private List<ObjectNode> chunks(int choice, List<AnswerPart> parts, List<TokenLogprobs> logprobs) {
        List<ObjectNode> chunks = new ArrayList<>();
        for (AnswerPart part : parts) {
            chunks.add(chat.chunk(choice, delta(part), "", chunks.isEmpty() ? logprobs : List.of()));
        }
        return chunks;
    }

    private static ObjectNode delta(AnswerPart part) {
        ObjectNode delta = JsonBody.object();
        switch (part) {
            case AnswerPart.Text(String text) -> delta.put("content", text);
            case AnswerPart.Thoughts(String text) -> delta.put(REASONING, text);
            case AnswerPart.CallStart start -> {
                ObjectNode call = delta.putArray("tool_calls").addObject();
                call.put("index", start.index());
                addStart(call, start);
            }
            case AnswerPart.CallArguments(int index, String json) -> {
                ObjectNode call = delta.putArray("tool_calls").addObject();
                call.put("index", index);
                call.putObject("function").put("arguments", json);
            }
        }
        return delta;
    }

    private static void addStart(ObjectNode call, AnswerPart.CallStart start) {
        call.put("id", start.id());
        call.put("type", "function");
        ObjectNode function = call.putObject("function");
        function.put("name", start.name());
        function.put("arguments", "");
    }

    @Override
    public ObjectNode lastChunk(int choice, String finishReason) {
        return chat.lastChunk(choice, reason(choice, finishReason));
    }

    /// An answer that was cut is not reported as a call.
    private String reason(int choice, String finishReason) {
        return finishReason.equals("stop") && reader(choice).hasCalls() ? "tool_calls" : finishReason;
    }

    @Override
    public long reasoningTokens(List<Completion> completions) {
        return completions.stream()
                .mapToLong(completion -> thinking.tokens(completion.ids(), chat.texts()::of))
                .sum();
    }

    @Override
    public ObjectNode emptyChunk() {
        return chat.emptyChunk();
    }

    @Override
    public ObjectNode whole(List<Completion> completions, Usage usage) {
        ObjectNode answer = chat.whole(completions, usage);
        JsonNode choices = answer.path("choices");
        for (int choice = 0; choice < completions.size(); choice++) {
            ObjectNode node = (ObjectNode) choices.get(choice);
            List<AnswerPart> parts =
                    new ArrayList<>(reader(choice).push(completions.get(choice).text()));
            parts.addAll(reader(choice).end());
            fill((ObjectNode) node.path("message"), parts);
            node.put("finish_reason", reason(choice, node.path("finish_reason").stringValue()));
        }
        return answer;
    }

    private static void fill(ObjectNode message, List<AnswerPart> parts) {
        StringBuilder content = new StringBuilder();
        StringBuilder thoughts = new StringBuilder();
        List<ObjectNode> calls = new ArrayList<>();
        for (AnswerPart part : parts) {
            switch (part) {
                case AnswerPart.Text(String text) -> content.append(text);
                case AnswerPart.Thoughts(String text) -> thoughts.append(text);
                case AnswerPart.CallStart start -> {
                    ObjectNode call = JsonBody.object();
                    addStart(call, start);
                    calls.add(call);
                }
                case AnswerPart.CallArguments(int index, String json) -> {
                    ObjectNode function = (ObjectNode) calls.get(index).path("function");
                    function.put("arguments", function.path("arguments").stringValue() + json);
                }
            }
        }
        if (content.isEmpty() && !calls.isEmpty()) {
            message.putNull("content");
        } else {
            message.put("content", content.toString());
        }
        if (!thoughts.isEmpty()) {
            message.put(REASONING, thoughts.toString());
        }
        if (!calls.isEmpty()) {
            ArrayNode array = message.putArray("tool_calls");
            calls.forEach(array::add);
        }
    }
}
