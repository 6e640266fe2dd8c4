package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Checkpoints that are missing, cut, contradictory or of another kind: a message, exit code 1, nothing left
/// behind.
class DamagedModelTest {
    @TempDir
    Path temporary;

    private Path model;
    private Path ids;

    @BeforeEach
    void copyModel() throws IOException {
        model = Shell.copy(Shell.tiny("tiny-llama3-f32"), temporary.resolve("model"));
        ids = Files.writeString(temporary.resolve("ids.json"), "[1, 2, 3]");
    }

    private void everyCommandRefuses(String... fragments) {
        shadowkv("inspect", model).refused(1, fragments);
        shadowkv("run", model, "hello").refused(1, fragments);
        shadowkv("logits", model, "--ids", ids, "--out", temporary.resolve("out"))
                .refused(1, fragments);
        assertThat(Shell.names(temporary)).containsExactly("ids.json", "model");
    }

    private void replace(String file, String from, String to) throws IOException {
        Path path = model.resolve(file);
        String text = Files.readString(path);
        assertThat(text).contains(from);
        Files.writeString(path, text.replace(from, to));
    }

    private void cut(String file, long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(model.resolve(file), StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    @Test
    void noFolder() {
        shadowkv("inspect", "nothing-here").refused(1, "nothing-here: no such folder", "a bundled model: needle-32k");
        shadowkv("inspect", ids).refused(1, "ids.json: a file, not a folder");
    }

    @Test
    void notDownloaded() {
        new Shell()
                .with("HF_HUB_CACHE", temporary.resolve("hub").toString())
                .run("inspect", "acme/tiny")
                .refused(
                        1,
                        "acme/tiny: no such folder, and not downloaded to " + temporary.resolve("hub"),
                        "run `shadowkv pull acme/tiny` first");
    }

    @Test
    void noConfig() throws IOException {
        Files.delete(model.resolve("config.json"));
        everyCommandRefuses("no config.json");
    }

    @Test
    void configIsNotJson() throws IOException {
        cut("config.json", 20);
        everyCommandRefuses("config.json: not valid JSON");
    }

    @Test
    void unknownFamily() throws IOException {
        replace("config.json", "\"llama\"", "\"mamba\"");
        everyCommandRefuses("model_type is \"mamba\"; this engine reads llama, qwen2");
    }

    @Test
    void shapeThatTheWeightsDoNotHave() throws IOException {
        replace("config.json", "\"hidden_size\": 256", "\"hidden_size\": 512");
        everyCommandRefuses("model.safetensors", "expected [");
    }

    @Test
    void cutWeights() throws IOException {
        cut("model.safetensors", 100_000);
        everyCommandRefuses("model.safetensors");
    }

    @Test
    void weightsThatAreNoSafetensors() throws IOException {
        Files.writeString(model.resolve("model.safetensors"), "this is no header of anything");
        everyCommandRefuses("model.safetensors");
    }

    @Test
    void noWeights() throws IOException {
        Files.delete(model.resolve("model.safetensors"));
        everyCommandRefuses("no *.safetensors");
    }

    @Test
    void missingShard() throws IOException {
        model = Shell.copy(Fixtures.needleModel(), temporary.resolve("needle"));
        Files.delete(model.resolve("model-00002-of-00002.safetensors"));
        shadowkv("run", model, "hello")
                .refused(1, "the index names model-00002-of-00002.safetensors, which is not there");
    }

    @Test
    void noTokenizer() {
        shadowkv("run", model, "hello").refused(1, "has neither tokenizer.json nor tokenizer.model");
        shadowkv("tokenize", model, "hello").refused(1, "has neither tokenizer.json nor tokenizer.model");
    }

    @Test
    void malformedTokenizer() throws IOException {
        model = Shell.copy(Fixtures.needleModel(), temporary.resolve("needle"));
        cut("tokenizer.json", 5_000);
        shadowkv("tokenize", model, "hello").refused(1, "tokenizer.json");
        shadowkv("run", model, "hello").refused(1, "tokenizer.json");
    }

    @Test
    void malformedChatTemplate() throws IOException {
        model = Shell.copy(Fixtures.needleModel(), temporary.resolve("needle"));
        replace("tokenizer_config.json", "{%- endfor %}", "");
        shadowkv("run", model, "hello").refused(1, "template");
    }
}
