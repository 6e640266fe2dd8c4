package io.shadowkv.text.chat;

import io.shadowkv.text.Json;
import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.TextFile;
import io.shadowkv.text.Tokenizer;
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
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Writes a conversation as the prompt a model was trained on, by the template its checkpoint brings.
///
/// A rendered prompt contains the model's special tokens in writing: encode what [#prompt] gives, or where contents
/// may not spell such tokens, the text of [#render] with `addSpecialTokens` false.
/// Immutable, for any thread.
public final class ChatTemplate {
    private static final String DEFAULT = "default";
    private static final String WITH_TOOLS = "tool_use";
    private static final String JINJA = ".jinja";

    /// Words that no template changes, to find what follows an answer.
    private static final String ANSWER = "answer";

    private final Map<String, Template> templates;
    private final Map<String, Object> specialTokens;
    private final Clock clock;

    private ChatTemplate(Map<String, Template> templates, Map<String, Object> specialTokens, Clock clock) {
        this.templates = Map.copyOf(templates);
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
    }

    /// The templates of a checkpoint folder: `chat_template.jinja`, else `chat_template` of
    /// `tokenizer_config.json` (one, or several by name), and those of `additional_chat_templates/`; nothing if
    /// the model has none (it is no chat model).
    ///
    /// @throws ChatTemplateException if the template is malformed, with its line
    /// @throws io.shadowkv.text.TokenizerException if `tokenizer_config.json` is malformed
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
        return render(variables(messages, addGenerationPrompt, furtherVariables), ZonedDateTime.now(clock));
    }

    /// The prompt of a conversation, which knows where a message, a tool or a document spells a special token: there
    /// it is text. Only the template's own words are tokens.
    ///
    /// @param specials the tokenizer's
    /// @throws ChatTemplateException if the template refuses the conversation, in the template's words
    public MarkedText prompt(
            List<ChatMessage> messages,
            boolean addGenerationPrompt,
            Map<String, ? extends @Nullable Object> furtherVariables,
            SpecialTokens specials) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        Map<String, @Nullable Object> variables = variables(messages, addGenerationPrompt, furtherVariables);
        return new LiteralContents(variables, some -> render(some, now), specials).prompt();
    }

    /// The same without further variables.
    public MarkedText prompt(List<ChatMessage> messages, boolean addGenerationPrompt, SpecialTokens specials) {
        return prompt(messages, addGenerationPrompt, Map.of(), specials);
    }

    /// The token that ends the assistant's turn: the special token with which the template goes on behind an answer,
    /// if it does.
    public OptionalInt endOfTurn(Tokenizer tokenizer) {
        String rendered;
        try {
            rendered =
                    render(List.of(new ChatMessage("user", "question"), new ChatMessage("assistant", ANSWER)), false);
        } catch (ChatTemplateException e) {
            return OptionalInt.empty();
        }
        int end = rendered.lastIndexOf(ANSWER);
        if (end < 0) {
            return OptionalInt.empty();
        }
        String rest = rendered.substring(end + ANSWER.length()).stripLeading();
        int length = tokenizer.specialTokens().longestAt(rest, 0);
        return length == 0 ? OptionalInt.empty() : tokenizer.id(rest.substring(0, length));
    }

    private Map<String, @Nullable Object> variables(
            List<ChatMessage> messages,
            boolean addGenerationPrompt,
            Map<String, ? extends @Nullable Object> furtherVariables) {
        Map<String, @Nullable Object> variables = new LinkedHashMap<>(specialTokens);
        variables.put("messages", messages.stream().map(ChatMessage::fields).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("tools", null);
        variables.put("documents", null);
        variables.putAll(furtherVariables);
        return variables;
    }

    private String render(Map<String, @Nullable Object> variables, ZonedDateTime now) {
        try {
            return chosen(variables.get("tools") != null).render(variables, now);
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
            throw new ChatTemplateException(
                    "the model has the chat templates " + templates.keySet()
                            + " but none named \"default\". Name one of them so, in tokenizer_config.json or as chat_template.jinja");
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

    /// Files of their own take the place of what the config says, as transformers does; where they bring no
    /// default, the config's stays, which transformers would lose.
    private static Map<String, String> sources(Path folder, TokenizerConfig config) {
        Path own = folder.resolve("chat_template.jinja");
        Map<String, String> sources = new LinkedHashMap<>();
        if (Files.isRegularFile(own)) {
            sources.put(DEFAULT, TextFile.utf8(own));
        } else {
            sources.putAll(named(config.root().path("chat_template"), config.file()));
        }
        Path additional = folder.resolve("additional_chat_templates");
        if (Files.isDirectory(additional)) {
            for (Path file : jinjaFiles(additional)) {
                String name = file.getFileName().toString();
                sources.put(name.substring(0, name.length() - JINJA.length()), TextFile.utf8(file));
            }
        }
        Path processors = folder.resolve("chat_template.json");
        if (sources.isEmpty() && Files.isRegularFile(processors)) {
            // Models that also see images keep their template where their processor reads it.
            JsonNode node = Json.object(TextFile.utf8(processors), processors).path("chat_template");
            sources.putAll(named(node, processors));
        }
        return sources;
    }

    /// One template as text, or several as an object or as a list of names and templates.
    private static Map<String, String> named(JsonNode node, Path file) {
        Map<String, String> named = new LinkedHashMap<>();
        if (node.isString()) {
            named.put(DEFAULT, node.stringValue());
        } else if (node.isObject()) {
            node.properties().forEach(entry -> named.put(entry.getKey(), template(entry.getValue(), entry, file)));
        } else if (node.isArray()) {
            for (JsonNode one : node) {
                named.put(template(one.path("name"), one, file), template(one.path("template"), one, file));
            }
        }
        return named;
    }

    private static String template(JsonNode text, Object where, Path file) {
        if (!text.isString()) {
            throw new ChatTemplateException(
                    file + ": chat_template holds " + where + "; expected an object with a name and a template");
        }
        return text.stringValue();
    }

    private static List<Path> jinjaFiles(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(JINJA))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ChatTemplateException(
                    folder + ": cannot be read: " + e + ". Check the folder and its permissions", e);
        }
    }
}
