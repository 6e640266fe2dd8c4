package io.shadowkv.server.model;

import io.shadowkv.checkpoint.GenerationConfig;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.server.error.ApiException;
import io.shadowkv.server.structured.Thinking;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatMessage;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.chat.ChatTemplateException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The model that the server offers. Thread-safe.
public final class ServedModel {
    private final EnginePool engines;
    private final Engine engine;
    private final List<String> names;
    private final Instant created = Instant.now();
    private final @Nullable ChatTemplate template;
    private final @Nullable SpecialTokens specialTokens;

    /// @param names names that requests may use, at least one; the first is listed and answered
    public ServedModel(EnginePool engines, List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("the served model has no name; give at least one");
        }
        this.engines = engines;
        this.engine = engines.any();
        this.names = List.copyOf(names);
        this.template = engine.hasChatTemplate() ? engine.chatTemplate() : null;
        this.specialTokens = engine.hasTokenizer() ? engine.tokenizer().specialTokens() : null;
    }

    /// One of the engines, for what all have in common.
    public Engine engine() {
        return engine;
    }

    public EnginePool engines() {
        return engines;
    }

    /// The name in answers.
    public String name() {
        return names.getFirst();
    }

    public List<String> names() {
        return names;
    }

    public Instant created() {
        return created;
    }

    /// How the engine computes, for records of measurements: `method` (`full` or `shadowkv`), `strategy`
    /// (with its parameters), `kv_type`, `backend` and `device`.
    public Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("method", engine.options().cache().name());
        facts.put("strategy", engine.options().cache().toString());
        facts.put("kv_type", engine.kvType().toString());
        facts.put("backend", engine.backend().name());
        facts.put("device", engine.backend().description());
        return facts;
    }

    /// The checkpoint's recommendations; empty for random weights.
    public Optional<GenerationConfig> recommended() {
        return engine.hasTokenizer() ? Optional.of(engine.checkpoint().generation()) : Optional.empty();
    }

    /// Ids of the model's tokenizer that end an answer, as the engine knows them.
    public int[] endIds() {
        Tokenizer tokenizer = tokenizer();
        Set<Integer> ends = new LinkedHashSet<>(engine.checkpoint().generation().eosTokenIds());
        tokenizer.endOfSequence().ifPresent(ends::add);
        if (template != null) {
            template.endOfTurn(tokenizer).ifPresent(ends::add);
        }
        return ends.stream()
                .mapToInt(Integer::intValue)
                .filter(id -> id >= 0 && id < tokenizer.vocabularySize())
                .toArray();
    }

    /// True if the chat template shows tools to the model.
    ///
    /// @param tools as the template takes them, at least one
    public boolean showsTools(List<@Nullable Object> tools) {
        ChatTemplate chat = template;
        if (chat == null) {
            return false;
        }
        List<ChatMessage> some = List.of(new ChatMessage("user", "x"));
        return !chat.render(some, true, Map.of("tools", tools)).equals(chat.render(some, true));
    }

    /// Whether answers begin with thoughts.
    ///
    /// @param variables further variables of the template
    public Thinking thinking(Map<String, @Nullable Object> variables) {
        ChatTemplate chat = template;
        return chat == null
                ? Thinking.NONE
                : Thinking.of((messages, further) -> rendered(chat, messages, further), variables);
    }

    /// Empty if the template refuses the conversation.
    private static String rendered(
            ChatTemplate chat, List<ChatMessage> messages, Map<String, @Nullable Object> variables) {
        try {
            return chat.render(messages, true, variables);
        } catch (ChatTemplateException e) {
            return "";
        }
    }

    /// @throws ApiException if requests name another model (404)
    public void checkName(@Nullable String asked) {
        if (asked != null && !names.contains(asked)) {
            throw ApiException.refused(
                    404,
                    "model",
                    "model_not_found",
                    "there is no model \"" + (asked.length() > 100 ? asked.substring(0, 100) + "…" : asked)
                            + "\" here; this server has " + String.join(", ", names));
        }
    }

    /// @param param field of the request that has the ids
    /// @param what subject of the message
    /// @throws ApiException if an id is not in the vocabulary
    public void checkIds(String param, String what, IntStream ids) {
        int most = engine.spec().vocabularySize();
        ids.filter(id -> id >= most).findFirst().ifPresent(id -> {
            throw ApiException.invalid(
                    param, what + " has the token id " + id + "; the model's vocabulary has ids 0 to " + (most - 1));
        });
    }

    /// @throws ApiException if the model has no tokenizer
    public Tokenizer tokenizer() {
        if (!engine.hasTokenizer()) {
            throw ApiException.invalid(
                    "prompt", "no_tokenizer", "the model has no tokenizer; send token ids to /v1/completions");
        }
        return engine.tokenizer();
    }

    /// The text of tokens; of a model without tokenizer, their ids.
    public String text(int[] ids) {
        return engine.hasTokenizer() ? engine.tokenizer().decode(ids, false) : Arrays.toString(ids);
    }

    /// The text of one token; of a model without tokenizer, its id.
    public String tokenText(int id) {
        return engine.hasTokenizer() ? engine.tokenizer().decode(new int[] {id}, false) : String.valueOf(id);
    }

    /// Encodes a conversation up to the start of the answer. Special tokens come only from the
    /// template.
    ///
    /// @param variables further variables of the template
    /// @throws ApiException if the model has no chat template
    /// @throws io.shadowkv.text.chat.ChatTemplateException if the template refuses the conversation
    public int[] encodeChat(List<ChatMessage> messages, Map<String, @Nullable Object> variables) {
        Tokenizer tokenizer = tokenizer();
        ChatTemplate chat = template;
        SpecialTokens specials = specialTokens;
        if (chat == null || specials == null) {
            throw ApiException.invalid(
                    "messages",
                    "no_chat_template",
                    "the model has no chat template; send a plain prompt to /v1/completions");
        }
        MarkedText prompt = chat.prompt(messages, true, variables, specials);
        return tokenizer.encode(prompt);
    }
}
