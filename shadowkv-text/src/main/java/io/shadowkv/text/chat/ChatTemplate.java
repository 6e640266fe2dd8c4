package io.shadowkv.text.chat;

import io.shadowkv.text.Json;
import io.shadowkv.text.TokenizerConfig;
import io.shadowkv.text.jinja.Template;
import io.shadowkv.text.jinja.runtime.JinjaException;
import io.shadowkv.text.jinja.runtime.RaisedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Writes a conversation as the prompt a model was trained on, by the template its checkpoint brings.
///
/// A rendered prompt contains the model's special tokens in writing: encode it with `addSpecialTokens` false.
/// Immutable, for any thread.
public final class ChatTemplate {
    private static final String DEFAULT = "default";
    private static final String WITH_TOOLS = "tool_use";

    private final Map<String, Template> templates;
    private final Map<String, Object> specialTokens;
    private final Clock clock;

    private ChatTemplate(Map<String, Template> templates, Map<String, Object> specialTokens, Clock clock) {
        this.templates = Map.copyOf(templates);
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
    }

    /// The template of a checkpoint folder: `chat_template.jinja`, else `chat_template` of
    /// `tokenizer_config.json`, one or several by name; nothing if the model has none (it is no chat model).
    ///
    /// @throws ChatTemplateException if the template is malformed, with its line
    /// @throws TokenizerException if `tokenizer_config.json` is malformed
    public static Optional<ChatTemplate> open(Path folder) {
        return open(folder, Clock.system(ZoneId.systemDefault()));
    }

    /// As [#open(Path)], with the clock that `strftime_now` reads.
    public static Optional<ChatTemplate> open(Path folder, Clock clock) {
        TokenizerConfig config = TokenizerConfig.read(folder);
        Map<String, Template> templates = new LinkedHashMap<>();
        sources(folder, config)
                .forEach((name, source) -> templates.put(name, parsed(source, folder + ", chat template")));
        return templates.isEmpty()
                ? Optional.empty()
                : Optional.of(new ChatTemplate(templates, config.templateVariables(), clock));
    }

    /// A template from its source.
    ///
    /// @param specialTokens `bos_token`, `eos_token` … as the template names them
    /// @throws ChatTemplateException if the template is malformed, with its line
    public static ChatTemplate of(String source, Map<String, String> specialTokens, Clock clock) {
        return new ChatTemplate(Map.of(DEFAULT, parsed(source, "chat template")), Map.copyOf(specialTokens), clock);
    }

    /// The prompt of a conversation.
    ///
    /// @param addGenerationPrompt whether the assistant's turn is opened at the end
    /// @throws ChatTemplateException if the template refuses the conversation, in the template's words
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, Map.of());
    }

    /// The prompt of a conversation with further variables (`tools`, `documents`, `enable_thinking` …), which
    /// take the place of the usual ones. Where a checkpoint brings a template for tools, it is used if there
    /// are `tools`.
    ///
    /// @throws ChatTemplateException if the template refuses the conversation, in the template's words
    public String render(
            List<ChatMessage> messages,
            boolean addGenerationPrompt,
            Map<String, ? extends @Nullable Object> furtherVariables) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(specialTokens);
        variables.put("messages", messages.stream().map(ChatMessage::variables).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("tools", null);
        variables.put("documents", null);
        variables.putAll(furtherVariables);
        try {
            return chosen(variables.get("tools") != null).render(variables, ZonedDateTime.now(clock));
        } catch (RaisedException e) {
            throw new ChatTemplateException(String.valueOf(e.getMessage()), e);
        } catch (JinjaException e) {
            throw new ChatTemplateException(
                    "the chat template fails at " + e.getMessage()
                            + ". Check the messages' fields, or the template in the model's folder",
                    e);
        }
    }

    private Template chosen(boolean hasTools) {
        Template withTools = hasTools ? templates.get(WITH_TOOLS) : null;
        Template template = withTools == null ? templates.get(DEFAULT) : withTools;
        if (template == null) {
            throw new ChatTemplateException("the model has the chat templates " + templates.keySet()
                    + " but none named \"default\". Name one of them so in tokenizer_config.json");
        }
        return template;
    }

    private static Template parsed(String source, String where) {
        try {
            return Template.of(source);
        } catch (JinjaException e) {
            throw new ChatTemplateException(where + ": " + e.getMessage() + ". Correct it in the model's folder", e);
        }
    }

    private static Map<String, String> sources(Path folder, TokenizerConfig config) {
        Map<String, String> sources = new LinkedHashMap<>();
        JsonNode node = config.root().path("chat_template");
        if (node.isString()) {
            sources.put(DEFAULT, node.stringValue());
        }
        for (JsonNode named : node.isArray() ? Json.elements(node) : List.<JsonNode>of()) {
            if (!named.path("name").isString() || !named.path("template").isString()) {
                throw new ChatTemplateException(config.file() + ": chat_template holds " + named
                        + "; expected an object with a name and a template");
            }
            sources.put(named.path("name").stringValue(), named.path("template").stringValue());
        }
        Path file = folder.resolve("chat_template.jinja");
        if (Files.isRegularFile(file)) {
            try {
                sources.put(DEFAULT, Files.readString(file));
            } catch (IOException e) {
                throw new ChatTemplateException(
                        file + ": cannot be read: " + e + ". Check the file and its permissions", e);
            }
        }
        return sources;
    }
}
