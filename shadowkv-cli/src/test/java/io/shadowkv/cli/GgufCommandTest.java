package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A GGUF file wherever a command takes a model.
class GgufCommandTest {
    private static final String NAME = "tiny-llama32-Q4_K_M.gguf";
    static final Path FILE =
            Fixtures.golden("weights").resolve("weights/tiny-llama32-Q4_K_M").resolve(NAME);

    @TempDir
    Path temporary;

    @Test
    void isInspected() {
        assertThat(shadowkv("inspect", FILE).succeeded().out())
                .contains("F32 1,312, Q4_K 638,976, Q6_K 212,992")
                .contains(
                        "512, embeddings tied", "64 of 64 elements, interleaved, scaling rope_freqs", "131,072 tokens");
        JsonNode json = shadowkv("inspect", FILE, "--json").json();
        assertThat(json.at("/elements_by_type/Q4_K").longValue()).isEqualTo(638_976);
        assertThat(json.at("/weight_bytes").longValue()).isEqualTo(539_392);
        assertThat(json.at("/kv_type").stringValue()).isEqualTo("BF16");
    }

    @Test
    void tokenizesAndAnswers() {
        assertThat(shadowkv("tokenize", FILE, "the cat's mat", "--ids")
                        .succeeded()
                        .out())
                .contains("504, 257, 292, 268, 349, 478");
        assertThat(shadowkv("run", FILE, "the cat's mat", "--max-new-tokens", "3")
                        .succeeded()
                        .out())
                .isNotBlank();
    }

    private Shell shell(LoopbackHub hub) {
        return new Shell()
                .with("HF_ENDPOINT", hub.endpoint())
                .with("HF_TOKEN", LoopbackHub.TOKEN)
                .with("HF_HOME", temporary.resolve("nobody").toString())
                .with("HF_HUB_CACHE", temporary.resolve("hub").toString());
    }

    @Test
    void isPulledByAPatternAndThenHasTheRepositorysName() throws IOException {
        Path repository = Files.createDirectory(temporary.resolve("repository"));
        Files.copy(FILE, repository.resolve(NAME));
        Files.writeString(repository.resolve("tiny-llama32-Q8_0.gguf"), "GGUF");
        try (LoopbackHub hub = new LoopbackHub()) {
            hub.folders.put("models/acme/tiny-GGUF", repository);
            shell(hub).run("pull", "acme/tiny-GGUF").refused(1, "--file '*Q4_K_M*'");
            Path folder = Path.of(shell(hub)
                    .run("pull", "acme/tiny-GGUF", "--file", "*Q4_K_M*")
                    .succeeded()
                    .out()
                    .strip());
            assertThat(Shell.names(folder)).containsExactly(NAME);
            assertThat(shell(hub)
                            .run("tokenize", "acme/tiny-GGUF", "hi", "--ids")
                            .succeeded()
                            .out())
                    .startsWith("[504");

            shell(hub).run("pull", "acme/tiny-GGUF", "--file", "*.gguf").succeeded();
            shell(hub)
                    .run("inspect", "acme/tiny-GGUF")
                    .refused(1, "has 2 GGUF models: " + NAME + ", tiny-llama32-Q8_0.gguf. Give the file itself");
        }
        shadowkv("pull", "--file", "*").refused(2, "give its ORG/NAME too");
    }
}
