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

/// Renders a conversation as the prompt that a model was trained on, with the checkpoint's
/// template.
///
/// A rendered prompt contains the spellings of the model's special tokens. Encode the result of
/// [#prompt], or, if contents cannot contain such spellings, the text of [#render] with
/// `addSpecialTokens` false. Immutable and thread-safe.
public final class ChatTemplate {
    private static final String DEFAULT = "default";
    private static final String WITH_TOOLS = "tool_use";
    private static final String JINJA = ".jinja";

    /// A text that templates do not change, to find what follows an answer.
    private static final String ANSWER = "answer";

    private final Map<String, Template> templates;
    private final Map<String, Object> specialTokens;
    private final Clock clock;

    private ChatTemplate(Map<String, Template> templates, Map<String, Object> specialTokens, Clock clock) {
        this.templates = Map.copyOf(templates);
        this.specialTokens = Map.copyOf(specialTokens);
        this.clock = clock;
    }

    /// Opens the templates of a GGUF file's metadata, or of a checkpoint folder: `chat_template.jinja`, otherwise
    /// `chat_template`
    /// of `tokenizer_config.json` (one, or several by name), and those of
    /// `additional_chat_templates/`; empty if the model has none (it is not a chat model).
    ///
    /// @throws ChatTemplateException if the template is malformed, with its line
    /// @throws io.shadowkv.text.TokenizerException if `tokenizer_config.json` is malformed
    public static Optional<ChatTemplate> open(Path folder) {
        return open(folder, Clock.system(ZoneId.systemDefault()));
    }

    /// Like [#open(Path)], with the clock that `strftime_now` reads.
    public static Optional<ChatTemplate> open(Path folder, Clock clock) {
        TokenizerConfig config = TokenizerConfig.read(folder);
        Map<String, Template> templates = new LinkedHashMap<>();
        sources(folder, config)
                .forEach((name, source) -> templates.put(name, parsed(source, folder + ", chat template")));
        return templates.isEmpty()
                ? Optional.empty()
                : Optional.of(new ChatTemplate(templates, config.templateVariables(), clock));
    }

    /// Creates a template from its source.
    ///
    /// @param specialTokens `bos_token`, `eos_token` … as the template names them
    /// @throws ChatTemplateException if the template is malformed, with its line
    public static ChatTemplate of(String source, Map<String, String> specialTokens, Clock clock) {
        return new ChatTemplate(Map.of(DEFAULT, parsed(source, "chat template")), Map.copyOf(specialTokens), clock);
    }

    /// Renders the prompt of a conversation.
    ///
    /// @param addGenerationPrompt whether to begin the assistant's turn at the end
    /// @throws ChatTemplateException if the template refuses the conversation, with the template's
    ///     message
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, Map.of());
    }

    /// Renders the prompt of a conversation with additional variables (`tools`, `documents`,
    /// `enable_thinking` …), which replace the default ones. If the checkpoint has a template for
    /// tools, it is used when there are `tools`.
    ///
    /// @throws ChatTemplateException if the template refuses the conversation, with the template's
    ///     message
    public String render(
            List<ChatMessage> messages,
            boolean addGenerationPrompt,
            Map<String, ? extends @Nullable Object> furtherVariables) {
        return render(variables(messages, addGenerationPrompt, furtherVariables), ZonedDateTime.now(clock));
    }

    /// Renders the prompt of a conversation and marks where a message, a tool or a document
    /// contains the spelling of a special token, which is text there. Only the template's own text
    /// becomes special tokens.
    ///
    /// @param specials the special tokens of the tokenizer
    /// @throws ChatTemplateException if the template refuses the conversation, with the template's
    ///     message
    public MarkedText prompt(
            List<ChatMessage> messages,
            boolean addGenerationPrompt,
            Map<String, ? extends @Nullable Object> furtherVariables,
            SpecialTokens specials) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        Map<String, @Nullable Object> variables = variables(messages, addGenerationPrompt, furtherVariables);
        return new LiteralContents(variables, some -> render(some, now), specials).prompt();
    }

    /// Like the method above without additional variables.
    public MarkedText prompt(List<ChatMessage> messages, boolean addGenerationPrompt, SpecialTokens specials) {
        return prompt(messages, addGenerationPrompt, Map.of(), specials);
    }

    /// The token that ends the assistant's turn: the special token that the template writes after
    /// an answer, if any.
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
                            + " but none named \"default\". Give one of them this name, in tokenizer_config.json or as chat_template.jinja");
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

    /// Separate files replace the templates of the config, as in transformers; if they have no
    /// default template, that of the config is kept, which transformers would lose.
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
            // Models that also read images store their template where their processor reads it.
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
                    file + ": chat_template contains " + where + "; expected an object with a name and a template");
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
