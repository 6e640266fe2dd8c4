package io.shadowkv.examples;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.Completion;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationListener;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.nio.file.Path;
import java.util.List;

/// Prints an answer word by word, while it is generated: `StreamAnswer MODEL-FOLDER QUESTION`.
public final class StreamAnswer {
    private StreamAnswer() {}

    public static void main(String... arguments) {
        var options = EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT);
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(Path.of(arguments[0]), backend, options)) {
            int[] prompt = engine.encodeChat(List.of(new ChatMessage("user", arguments[1])));
            Request request = Request.of(prompt, GenerationOptions.DEFAULT.withMaxNewTokens(64))
                    .withListener(new GenerationListener() {
                        @Override
                        public void token(int id, String text) {
                            IO.print(text);
                        }
                    });
            Completion answer = engine.complete(request);
            IO.println();
            IO.println("%d tokens read, %d generated, ended by %s"
                    .formatted(answer.promptTokens(), answer.ids().length, answer.finish()));
        }
    }
}
