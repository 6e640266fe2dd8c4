package io.shadowkv.examples.client;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiTokenUsage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import tools.jackson.databind.json.JsonMapper;

/// Answers questions about one long document with LangChain4j:
/// `LangChain4jDocument http://127.0.0.1:8080/v1 MODEL FILE QUESTION ...`.
///
/// The model sees the whole document instead of retrieved pieces of it, so that there is no
/// embedding model, no index and no piece that was not found. The server reads the document once; a
/// question reads only itself.
public final class LangChain4jDocument {
    private LangChain4jDocument() {}

    public static void main(String... arguments) throws IOException, InterruptedException {
        String documents = arguments[0] + "/documents";
        Path file = Path.of(arguments[2]);
        String id = UUID.randomUUID().toString();
        try (var http = HttpClient.newHttpClient()) {
            send(
                    http,
                    HttpRequest.newBuilder(URI.create(documents))
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString(JsonMapper.shared()
                                    .writeValueAsString(Map.of("id", id, "text", Files.readString(file)))))
                            .build());
            var model = OpenAiChatModel.builder()
                    .baseUrl(arguments[0])
                    .apiKey("any")
                    .modelName(arguments[1])
                    .maxCompletionTokens(64)
                    .customParameters(Map.of("document", id))
                    .build();
            for (String question : List.of(arguments).subList(3, arguments.length)) {
                var answer = model.chat(UserMessage.from(question));
                IO.println(answer.aiMessage().text().strip());
                if (answer.tokenUsage() instanceof OpenAiTokenUsage usage) {
                    IO.println("%,d tokens, %,d of them not read again"
                            .formatted(
                                    usage.inputTokenCount(),
                                    usage.inputTokensDetails().cachedTokens()));
                }
            }
            send(
                    http,
                    HttpRequest.newBuilder(URI.create(documents + "/" + id))
                            .DELETE()
                            .build());
        }
    }

    private static void send(HttpClient http, HttpRequest request) throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(request.method() + " " + request.uri() + ": " + response.body());
        }
    }
}
