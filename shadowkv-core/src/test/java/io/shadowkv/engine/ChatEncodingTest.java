package io.shadowkv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A conversation with variables of the chat template, through the library.
class ChatEncodingTest {
    private static final String TEMPLATE = "{{ bos_token }}{% for tool in tools or [] %}tool {{ tool.function.name }}"
            + " takes {{ tool.function.parameters | tojson }}. {% endfor %}"
            + "{% for message in messages %}{{ message.content }}{% endfor %}";

    @TempDir
    Path folder;

    @Test
    void theTemplateSeesTheTools() throws IOException {
        try (Stream<Path> files = Files.list(Fixtures.needleModel())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
        List<ChatMessage> messages = List.of(new ChatMessage("user", "What is the number?"));
        Map<String, Object> function = Map.of("name", "lookup", "parameters", Map.of("type", "object"));
        List<Map<String, Object>> tools = List.of(Map.of("type", "function", "function", function));
        try (var backend = Backends.open("reference", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(folder, backend, EngineOptions.DEFAULT)) {
            assertThat(text(engine, engine.encodeChat(messages, Map.of("tools", tools))))
                    .isEqualTo("tool lookup takes {\"type\": \"object\"}. What is the number?");
            assertThat(text(engine, engine.encodeChat(messages))).isEqualTo("What is the number?");
        }
    }

    private static String text(Engine engine, int[] ids) {
        return engine.tokenizer().decode(ids, true).strip();
    }
}
