package io.shadowkv.text.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.text.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tests the sources of templates, their variables, and their refusals.
class ChatTemplateTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-23T10:00:00Z"), ZoneOffset.UTC);
    private static final List<ChatMessage> HELLO = List.of(new ChatMessage("user", "Hello"));

    @TempDir
    Path folder;

    @Test
    void aFolderWithoutATemplateHasNone() throws IOException {
        assertThat(ChatTemplate.open(folder)).isEmpty();
        config("{\"bos_token\": \"<s>\"}");
        assertThat(ChatTemplate.open(folder)).isEmpty();
    }

    @Test
    void seesSpecialTokensHoweverTheyAreWritten() throws IOException {
        config("""
                {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": null, "pad_token": "<p>",
                 "chat_template": "{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ eos_token is defined }}"}""");
        Files.writeString(
                folder.resolve("special_tokens_map.json"), "{\"eos_token\": \"<e>\", \"unk_token\": \"<u>\"}");
        assertThat(render(Map.of())).isEqualTo("<s>||<p>|False");
    }

    @Test
    void theFileOfItsOwnComesFirst() throws IOException {
        config("{\"chat_template\": \"config\"}");
        Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0].role }}: file\n");
        assertThat(render(Map.of())).isEqualTo("user: file");
    }

    @Test
    void choosesTheTemplateForToolsByName() throws IOException {
        config("""
                {"chat_template": [{"name": "default", "template": "plain {{ tools is none }}"},
                                   {"name": "tool_use", "template": "tools {{ tools | tojson }}"}]}""");
        assertThat(render(Map.of())).isEqualTo("plain True");
        assertThat(render(Map.of("tools", List.of(Map.of("name", "f"))))).isEqualTo("tools [{\"name\": \"f\"}]");
    }

    @Test
    void takesAnObjectOfNamedTemplates() throws IOException {
        config("{\"chat_template\": {\"default\": \"plain\", \"tool_use\": \"tools\"}}");
        assertThat(render(Map.of())).isEqualTo("plain");
        assertThat(render(Map.of("tools", List.of()))).isEqualTo("tools");
        config("{\"chat_template\": {\"default\": [1]}}");
        assertThatThrownBy(() -> ChatTemplate.open(folder))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("tokenizer_config.json: chat_template contains default=[1]");
    }

    /// As in transformers, files replace all templates of the config.
    @Test
    void findsTemplatesInFilesOfTheirOwn() throws IOException {
        config("{\"chat_template\": {\"default\": \"config\", \"tool_use\": \"config's tools\"}}");
        Path file = Files.writeString(folder.resolve("chat_template.jinja"), "file");
        assertThat(render(Map.of("tools", List.of()))).isEqualTo("file");
        Path additional = Files.createDirectory(folder.resolve("additional_chat_templates"));
        Files.writeString(additional.resolve("tool_use.jinja"), "TOOLS {{ messages[0].content }}");
        Files.writeString(additional.resolve("notes.txt"), "{% not a template");
        assertThat(render(Map.of("tools", List.of()))).isEqualTo("TOOLS Hello");
        assertThat(render(Map.of())).isEqualTo("file");
        Files.delete(file);
        assertThat(render(Map.of())).as("the config's default stays").isEqualTo("config");
        assertThat(render(Map.of("tools", List.of()))).isEqualTo("TOOLS Hello");
    }

    @Test
    void aProcessorsTemplateIsTheLastToBeAsked() throws IOException {
        Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": \"processor\"}");
        assertThat(render(Map.of())).isEqualTo("processor");
        config("{\"chat_template\": \"config\"}");
        assertThat(render(Map.of())).isEqualTo("config");
    }

    /// A field that a message does not have is undefined, not none: logged tool calls of other
    /// servers have no content.
    @Test
    void whatAMessageLacksIsUndefined() {
        ChatTemplate template = ChatTemplate.of(
                "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% if m.content is defined %}[said]{% endif %}"
                        + "{% if m.tool_calls %}[calls {{ m.tool_calls[0].function.name }}]{% endif %}<|end|>{% endfor %}",
                Map.of(), CLOCK);
        List<ChatMessage> messages = List.of(
                new ChatMessage("user", "weather?"),
                ChatMessage.of(Map.of(
                        "role", "assistant", "tool_calls", List.of(Map.of("function", Map.of("name", "get_weather"))))),
                new ChatMessage("tool", "21"),
                new ChatMessage("assistant", null, Map.of()));
        assertThat(template.render(messages, false))
                .isEqualTo("<|user|>weather?[said]<|end|><|assistant|>[calls get_weather]<|end|>"
                        + "<|tool|>21[said]<|end|><|assistant|>None[said]<|end|>");
    }

    @Test
    void fieldsKeepTheirOrder() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", "a");
        fields.put("content", "b");
        fields.put("role", "user");
        assertThat(ChatTemplate.of("{{ messages[0] | tojson }}", Map.of(), CLOCK)
                        .render(List.of(ChatMessage.of(fields)), false))
                .isEqualTo("{\"name\": \"a\", \"content\": \"b\", \"role\": \"user\"}");
    }

    @Test
    void seesFurtherFieldsVariablesAndTheTime() {
        ChatTemplate template = ChatTemplate.of(
                "{{ messages[0].tool_calls[0].name }}{{ messages[0].content is defined }} {{ enable_thinking }} {{ x }}"
                        + " {{ strftime_now('%d %b %Y') }} {{ add_generation_prompt }} {{ documents is none }}",
                Map.of("x", "special"), CLOCK);
        ChatMessage call = ChatMessage.of(Map.of("role", "assistant", "tool_calls", List.of(Map.of("name", "f"))));
        assertThat(template.render(List.of(call), true, Map.of("enable_thinking", false)))
                .isEqualTo("fFalse False special 23 Nov 2026 True True");
    }

    @Test
    void refusesInTheTemplatesWords() {
        ChatTemplate template =
                ChatTemplate.of("{{ raise_exception('Conversation roles must alternate') }}", Map.of(), CLOCK);
        assertThatThrownBy(() -> template.render(HELLO, true))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessage("Conversation roles must alternate");
    }

    @Test
    void namesLineAndFinding() throws IOException {
        ChatTemplate template = ChatTemplate.of("a\n{{ messages[0].content + 1 }}", Map.of(), CLOCK);
        assertThatThrownBy(() -> template.render(HELLO, true))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("line 2: \"+\" cannot be applied to the string 'Hello' and 1");
        config("{\"chat_template\": \"a\\n{% if %}\"}");
        assertThatThrownBy(() -> ChatTemplate.open(folder))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("line 2: found the end of the statement");
    }

    @Test
    void namesAMalformedConfig() throws IOException {
        config("{\"chat_template\": [");
        assertThatThrownBy(() -> ChatTemplate.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer_config.json: is not valid JSON")
                .hasMessageContaining("line 1");
        config("{\"chat_template\": [{\"name\": \"default\"}]}");
        assertThatThrownBy(() -> ChatTemplate.open(folder))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("expected an object with a name and a template");
        config("{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}]}");
        assertThatThrownBy(() -> render(Map.of()))
                .isInstanceOf(ChatTemplateException.class)
                .hasMessageContaining("[rag]");
    }

    @Test
    void aMessageNeedsARole() {
        assertThatThrownBy(() -> ChatMessage.of(Map.of("content", "x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("content");
        assertThatThrownBy(() -> new ChatMessage("user", "x", Map.of("role", "y")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private void config(String json) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), json);
    }

    private String render(Map<String, ?> variables) {
        return ChatTemplate.open(folder, CLOCK).orElseThrow().render(HELLO, true, variables);
    }
}
