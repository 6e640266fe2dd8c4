package io.shadowkv.examples;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationEvent;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Document;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.engine.serve.Generation;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads a document once and answers several questions about it at the same time. Arguments: model
/// folder, file, two or more different questions.
final class AskDocument {
    private AskDocument() {}

    public static void main(String[] args) throws IOException {
        EngineOptions options = EngineOptions.DEFAULT.withCache(KvCacheSpec.Shadow.DEFAULT);
        GenerationOptions answer = GenerationOptions.DEFAULT.withMaxNewTokens(24);
        try (var backend = Backends.open("auto", BackendOptions.DEFAULT).backend();
                Engine engine = Engine.open(Path.of(args[0]), backend, options)) {
            String text = Files.readString(Path.of(args[1]));
            List<int[]> prompts = List.of(args).subList(2, args.length).stream()
                    .map(question -> engine.encodeChat(List.of(new ChatMessage("user", text + question))))
                    .toList();
            // The document is what all prompts begin with: the template's beginning and the text.
            int[] shared = prompts.getFirst();
            for (int[] prompt : prompts.subList(1, prompts.size())) {
                shared = Arrays.copyOf(shared, Arrays.mismatch(shared, prompt));
            }
            try (Document document = engine.read(Request.of(shared, answer))) {
                System.out.printf("read %,d tokens%n", document.length());
                List<Generation> asked = new ArrayList<>();
                for (int[] prompt : prompts) {
                    asked.add(engine.submit(Request.of(prompt, answer)));
                }
                for (Generation generation : asked) {
                    generation.events().forEachRemaining(event -> {
                        if (event instanceof GenerationEvent.Token token) {
                            System.out.print(token.text());
                        }
                    });
                    System.out.printf(
                            "  (%,d tokens were not read again)%n",
                            generation.join().cachedTokens());
                }
            }
        }
    }
}
