package io.shadowkv.examples;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Answers one question after the other, each with the turns before it: `Chat MODEL-FOLDER QUESTION ...`.
public final class Chat {
    private Chat() {}

    public static void main(String... arguments) {
        var options = EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT);
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(Path.of(arguments[0]), backend, options)) {
            List<ChatMessage> messages = new ArrayList<>();
            for (String question : Arrays.asList(arguments).subList(1, arguments.length)) {
                messages.add(new ChatMessage("user", question));
                String answer = engine.complete(
                                Request.of(engine.encodeChat(messages), GenerationOptions.DEFAULT.withMaxNewTokens(64)))
                        .text();
                messages.add(new ChatMessage("assistant", answer));
                IO.println(answer.strip());
            }
        }
    }
}
