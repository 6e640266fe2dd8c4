package io.shadowkv.examples;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Answers several questions of different lengths together: `Batch MODEL-FOLDER QUESTION ...`.
public final class Batch {
    private Batch() {}

    public static void main(String... arguments) {
        var options = EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT);
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(Path.of(arguments[0]), backend, options)) {
            List<Request> requests = Arrays.stream(arguments)
                    .skip(1)
                    .map(question -> engine.encodeChat(List.of(new ChatMessage("user", question))))
                    .map(prompt -> Request.of(prompt, GenerationOptions.DEFAULT.withMaxNewTokens(64)))
                    .toList();
            // In the order of the requests. Those that do not fit the memory at the same time wait for the others.
            for (Completion answer : engine.complete(requests)) {
                IO.println(answer.text().strip());
            }
        }
    }
}
