package io.shadowkv.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.text.chat.ChatMessage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Frameworks pin a `jackson-annotations` that is older than Jackson 3.2 needs. The engine must not need any: here it
/// runs in a process whose class path has none.
final class OlderAnnotationsTest {
    @Test
    void anEngineAnswersWithoutJacksonsAnnotations() throws IOException, InterruptedException {
        String classPath = Stream.of(System.getProperty("java.class.path").split(":"))
                .filter(entry -> !entry.contains("jackson-annotations"))
                .collect(Collectors.joining(":"));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules",
                        "jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-cp",
                        classPath,
                        Application.class.getName(),
                        Fixtures.needleModel().toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).contains("no annotations", "answered 3 tokens");
    }

    /// What the process runs.
    static final class Application {
        private Application() {}

        public static void main(String... arguments) {
            try {
                Class.forName("com.fasterxml.jackson.annotation.JsonProperty");
            } catch (ClassNotFoundException _) {
                System.out.println("no annotations");
            }
            try (var backend =
                            Backends.open("reference", BackendOptions.DEFAULT).backend();
                    Engine engine = Engine.open(Path.of(arguments[0]), backend, EngineOptions.DEFAULT)) {
                int[] prompt = engine.encodeChat(List.of(new ChatMessage("user", "hello")));
                Completion answer = engine.complete(Request.of(
                        prompt, GenerationOptions.DEFAULT.withMaxNewTokens(3).withIgnoreEos(true)));
                System.out.println("answered " + answer.ids().length + " tokens");
            }
        }
    }
}
