package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Checkpoints that are missing, truncated, contradictory or unsupported: the command prints a
/// message, returns exit code 1 and leaves nothing behind.
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
        everyCommandRefuses("model_type is \"mamba\", which this engine refuses: most of its layers are recurrent");
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
        Files.writeString(model.resolve("model.safetensors"), "this is not a header");
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

    private void config(String entry) throws IOException {
        replace("config.json", "{", "{" + entry + ", ");
    }

    @Test
    void quantisedWeights() throws IOException {
        config("\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 8}");
        everyCommandRefuses("quantised with awq (bits 8)", "Take the unquantised checkpoint");
    }

    @Test
    void weightsThatWereNotFetched() throws IOException {
        Files.writeString(
                model.resolve("model.safetensors"),
                "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 4976698672\n");
        everyCommandRefuses("model.safetensors: this is a Git LFS pointer to a file of 4,976,698,672 bytes");
    }

    @Test
    void anAdapterNextToTheModel() throws IOException {
        Files.writeString(model.resolve("adapter_config.json"), "{\"peft_type\": \"LORA\"}");
        Shell.Result inspected = shadowkv("inspect", model, "--json").succeeded();
        assertThat(inspected.err()).contains("note: ", "holds an adapter (LORA)", "it is not applied");
        assertThat(inspected.json().at("/notes/0").stringValue()).contains("holds an adapter (LORA)");
        assertThat(shadowkv("logits", model, "--ids", ids, "--out", temporary.resolve("out"))
                        .succeeded()
                        .err())
                .contains("note: ", "it is not applied");
    }

    @Test
    void aGenerationConfigurationThatCannotBeRead() throws IOException {
        Files.writeString(model.resolve("generation_config.json"), "{\"top_k\": -7}");
        shadowkv("inspect", model).succeeded();
        shadowkv("logits", model, "--ids", ids, "--out", temporary.resolve("out"))
                .succeeded();
    }

    @Test
    void aWeightThatIsNoNumber() throws IOException {
        model = Shell.copy(Fixtures.needleModel(), temporary.resolve("needle"));
        try (FileChannel channel =
                FileChannel.open(model.resolve("model-00002-of-00002.safetensors"), StandardOpenOption.WRITE)) {
            // The last weight's last element, as BF16.
            channel.write(ByteBuffer.wrap(new byte[] {(byte) 0xFF, 0x7F}), channel.size() - 2);
        }
        Path out = temporary.resolve("out");
        shadowkv("logits", model, "--ids", ids, "--out", out)
                .refused(1, "position 2: the logit of token 0 is NaN", "model-00002-of-00002.safetensors: tensor ");
        assertThat(out).doesNotExist();
        Shell.Result run = shadowkv("run", model, "hello", "-n", "2");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .contains(
                        "is NaN; expected finite numbers", "model-00002-of-00002.safetensors: tensor ", "holds NaN at")
                .doesNotContain("defect", "Exception");
    }

    @Test
    void aWindowThatEndsTheContext() throws IOException {
        replace(
                "config.json",
                "\"num_hidden_layers\"",
                "\"sliding_window\": 2, \"layer_types\":"
                        + " [\"sliding_attention\", \"sliding_attention\"], \"num_hidden_layers\"");
        Shell.Result inspected = shadowkv("inspect", model).succeeded();
        assertThat(inspected.out()).contains("2 tokens, its sliding_window");
        assertThat(shadowkv("inspect", model, "--json")
                        .json()
                        .get("sliding_window")
                        .intValue())
                .isEqualTo(2);
        shadowkv("logits", model, "--ids", ids, "--out", temporary.resolve("out"))
                .refused(1, "would exceed the model's context of 2 tokens, its sliding_window");
    }

    @Test
    void aConfigurationInAnotherEncoding() throws IOException {
        String text = Files.readString(model.resolve("config.json")).replaceFirst("\\{", "{\"name\": \"Modèle\", ");
        Files.writeString(model.resolve("config.json"), text, StandardCharsets.ISO_8859_1);
        everyCommandRefuses("config.json: is not UTF-8 text");
    }

    @Test
    void tokenizerFilesInAnotherEncodingOrNotFetched() throws IOException {
        model = Shell.copy(Fixtures.needleModel(), temporary.resolve("needle"));
        for (String name : new String[] {"tokenizer_config.json", "tokenizer.json"}) {
            String text = Files.readString(model.resolve(name)).replaceFirst("\\{", "{\"name\": \"Modèle\", ");
            Files.write(model.resolve(name), text.getBytes(StandardCharsets.ISO_8859_1));
            shadowkv("run", model, "hello").refused(1, name + ": is not UTF-8 text");
            Files.writeString(model.resolve(name), "version https://git-lfs.github.com/spec/v1\noid sha256:ab\n");
            shadowkv("run", model, "hello").refused(1, name + ": is a Git LFS pointer");
            Files.copy(Fixtures.needleModel().resolve(name), model.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
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
