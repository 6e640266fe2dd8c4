package io.shadowkv.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.examples.client.LangChain4jChat;
import io.shadowkv.examples.client.LangChain4jDocument;
import io.shadowkv.examples.client.LangChain4jStream;
import io.shadowkv.examples.client.LangChain4jTools;
import io.shadowkv.examples.client.OpenAiChat;
import io.shadowkv.examples.client.SpringAiChat;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every example of a client against the server with the bundled model.
class ClientExamplesTest {
    private static ServedModel server;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        server = new ServedModel(folder);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String output(Output.Main main, String... further) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(server.base(), ServedModel.NAME));
        arguments.addAll(List.of(further));
        return Output.of(main, arguments.toArray(String[]::new));
    }

    @Test
    void openAi() throws Exception {
        assertThat(output(OpenAiChat::main, ServedModel.question()).lines().map(String::strip))
                .hasSize(2)
                .allSatisfy(answer -> assertThat(answer).contains(ServedModel.ANSWER))
                .satisfies(answers -> assertThat(answers.get(0)).isEqualTo(answers.get(1)));
    }

    @Test
    void langChain4jChat() throws Exception {
        assertThat(output(LangChain4jChat::main, ServedModel.question()).lines())
                .satisfiesExactly(
                        answer -> assertThat(answer).contains(ServedModel.ANSWER),
                        usage -> assertThat(usage).matches("[1-9]\\d+ tokens read, [1-9]\\d* generated"));
    }

    @Test
    void langChain4jStream() throws Exception {
        assertThat(output(LangChain4jStream::main, ServedModel.question()))
                .contains(ServedModel.ANSWER)
                .endsWith("ended by STOP\n");
    }

    @Test
    void langChain4jTools() throws Exception {
        assertThat(output(LangChain4jTools::main, "How warm is it in Bern?").lines())
                .hasSizeGreaterThan(1)
                .first()
                .satisfies(call -> assertThat(call).matches("temperature \\{\"city\":\"(Bern|Oslo)\"}"));
    }

    /// The document is read once, and forgotten at the end.
    @Test
    void langChain4jDocument(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("document.txt");
        Files.writeString(file, ServedModel.text(40));
        String usage = "[1-9],\\d+ tokens, [1-9],\\d+ of them not read again";
        assertThat(output(LangChain4jDocument::main, file.toString(), ServedModel.asked(), ServedModel.asked())
                        .lines())
                .satisfiesExactly(
                        first -> assertThat(first).contains(ServedModel.ANSWER),
                        first -> assertThat(first).matches(usage),
                        second -> assertThat(second).contains(ServedModel.ANSWER),
                        second -> assertThat(second).matches(usage));
        assertThat(server.logged("DELETE /v1/documents/")).contains(" 200 ");
    }

    @Test
    void springAi() throws Exception {
        assertThat(output(SpringAiChat::main, ServedModel.question()).lines().map(String::strip))
                .satisfiesExactly(
                        answer -> assertThat(answer).contains(ServedModel.ANSWER),
                        usage -> assertThat(usage).matches("[1-9]\\d+ tokens read, [1-9]\\d* generated"),
                        streamed -> assertThat(streamed).contains(ServedModel.ANSWER));
    }

    @Test
    void curlChat() throws Exception {
        String output = Output.ofCommand(
                "sh",
                "curl/chat.sh",
                server.url(),
                ServedModel.NAME,
                ServedModel.question().replace("\n", "\\n"));
        assertThat(output.split("## "))
                .satisfiesExactly(
                        nothing -> assertThat(nothing).isBlank(),
                        models -> assertThat(models).contains("\"" + ServedModel.NAME + "\""),
                        answer -> assertThat(answer).contains(ServedModel.ANSWER, "\"finish_reason\":\"stop\""),
                        stream -> assertThat(stream).contains("\"delta\"", "\"usage\":{", "data: [DONE]"),
                        json -> assertThat(json).containsPattern("\\{\\\\\"number\\\\\": ?\\\\\"[0-9]{7}\\\\\"}"),
                        text -> assertThat(text).contains("\"text_completion\""));
    }

    @Test
    void curlDocument(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("document.txt");
        Files.writeString(file, ServedModel.text(20));
        String output = Output.ofCommand(
                "sh", "curl/document.sh", server.url(), ServedModel.NAME, file.toString(), ServedModel.asked());
        assertThat(output).contains(ServedModel.ANSWER).containsPattern("\"cached_tokens\":[1-9]\\d\\d");
        assertThat(output.substring(output.indexOf("## Forgetting"))).contains("\"deleted\":true");
    }

    /// What each request is answered with.
    private static final Map<String, List<String>> EXPECTED = Map.of(
            "chat", List.of(ServedModel.ANSWER, "\"finish_reason\":\"stop\""),
            "stream", List.of("text/event-stream", "\"usage\":{", "data: [DONE]"),
            "parse", List.of("{\\\"place\\\":"),
            "tools", List.of("\"finish_reason\":\"tool_calls\"", "\"name\":\"look_up\""),
            "several", List.of("\"index\":1", "\"top_logprobs\":[{"),
            "completion", List.of("\"text_completion\"", "early-dawn"));

    @ParameterizedTest
    @ValueSource(strings = {"chat", "stream", "parse", "tools", "several", "completion"})
    void python(String name) throws Exception {
        String file = Files.readString(Path.of("python/requests.http"));
        String[] blocks = file.split("\n### ");
        assertThat(blocks).hasSize(EXPECTED.size() + 1);
        String block = List.of(blocks).stream()
                .filter(one -> one.startsWith(name + "\n"))
                .findFirst()
                .orElseThrow()
                .replace("{{model}}", ServedModel.NAME)
                .replace("{{question}}", ServedModel.question().replace("\n", "\\n"));
        int blank = block.indexOf("\n\n");
        String head = block.substring(block.indexOf("POST "), blank)
                .replace("POST http://127.0.0.1:8080", "POST ")
                .replaceFirst("POST +(\\S+)", "POST $1 HTTP/1.1\nHost: 127.0.0.1");
        String body = block.substring(blank).strip();
        String answer = sent(head, body);
        assertThat(answer).startsWith("HTTP/1.1 200 ").contains(EXPECTED.get(name));
    }

    private static String sent(String head, String body) throws Exception {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            String request = head.replace("\n", "\r\n") + "\r\nContent-Length: " + bytes.length + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
