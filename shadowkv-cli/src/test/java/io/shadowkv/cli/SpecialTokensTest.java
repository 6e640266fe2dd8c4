package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The end of an answer and the special tokens of a prompt, with variants of the bundled model's
/// small files.
class SpecialTokensTest {
    private static final String QUESTION = "One of the special magic numbers for quick-fox is: 4829173. "
            + "What is the special magic number for quick-fox mentioned in the provided text?";

    @TempDir
    Path temporary;

    /// The bundled model with a configuration that ends at `<|end_of_text|>` only.
    private Path model(String eosToken) throws IOException {
        Path folder = Files.createDirectory(temporary.resolve("model"));
        try (Stream<Path> files = Files.list(Fixtures.needleModel())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.createSymbolicLink(folder.resolve(file.getFileName()), file);
            }
        }
        replace(
                folder,
                "generation_config.json",
                object("generation_config.json").put("eos_token_id", 1));
        replace(folder, "tokenizer_config.json", tokenizerConfig().put("eos_token", eosToken));
        return folder;
    }

    private static ObjectNode tokenizerConfig() throws IOException {
        return object("tokenizer_config.json");
    }

    private static ObjectNode object(String file) throws IOException {
        return (ObjectNode) JsonMapper.shared()
                .readTree(Files.readString(Fixtures.needleModel().resolve(file)));
    }

    private static void replace(Path folder, String file, ObjectNode content) throws IOException {
        Files.delete(folder.resolve(file));
        Files.writeString(folder.resolve(file), content.toString());
    }

    /// The configuration names the end of the base model; the end of a turn is in the tokenizer's
    /// files, or only in the chat template.
    @ParameterizedTest
    @ValueSource(strings = {"<|eot_id|>", "<|end_of_text|>"})
    void anAnswerEndsWithItsTurn(String eosToken) throws IOException {
        Path folder = model(eosToken);
        JsonNode usual = shadowkv("run", "needle-32k", QUESTION, "--json").json();
        JsonNode json = shadowkv("run", folder, QUESTION, "--json").json();
        assertThat(json.get("finish").stringValue()).isEqualTo("end_of_sequence");
        assertThat(json.get("ids")).isEqualTo(usual.get("ids"));
        assertThat(new Shell()
                        .typing(QUESTION + "\n/stats\n")
                        .run("run", folder, "--chat", "-n", "100")
                        .succeeded()
                        .err())
                .contains("generated " + json.get("ids").size());
    }

    @Test
    void aStopStringCanBeASpecialToken() throws IOException {
        Path folder = model("<|eot_id|>");
        JsonNode usual = shadowkv("run", "needle-32k", QUESTION, "--json").json();
        JsonNode json = shadowkv("run", folder, QUESTION, "--json", "--ignore-eos", "-n", "100", "--stop", "<|eot_id|>")
                .json();
        assertThat(json.get("finish").stringValue()).isEqualTo("stop_string");
        assertThat(json.get("ids")).isEqualTo(usual.get("ids"));
        assertThat(json.get("text")).isEqualTo(usual.get("text"));
    }

    @Test
    void aBeginningThatIsReadTwiceIsNoted() throws IOException {
        Path folder = model("<|eot_id|>");
        replace(
                folder,
                "tokenizer_config.json",
                tokenizerConfig().put("tokenizer_class", "LlamaTokenizer").put("add_bos_token", true));
        String note = "note: the prompt begins with <|begin_of_text|>, and the tokenizer adds it again";
        Shell.Result twice = shadowkv("run", folder, "<|begin_of_text|>Hello", "--raw", "-n", "1", "--json");
        assertThat(twice.succeeded().err()).contains(note);
        int tokens = twice.json().get("prompt_tokens").intValue();
        Shell.Result once = shadowkv("run", folder, "Hello", "--raw", "-n", "1", "--json");
        assertThat(once.succeeded().err()).doesNotContain("note:");
        assertThat(once.json().get("prompt_tokens").intValue()).isEqualTo(tokens - 1);
        Shell.Result ids =
                shadowkv("tokenize", folder, "<|begin_of_text|>Hello", "--ids").succeeded();
        assertThat(ids.out()).startsWith("[0, 0, ");
        assertThat(ids.err()).contains(note);
        assertThat(shadowkv("tokenize", folder, "<|begin_of_text|>Hello", "--ids", "--no-special")
                        .succeeded()
                        .err())
                .isEmpty();
    }

    /// A template pasted into a turn is text; the ids only contain the special tokens of the
    /// applied template.
    @Test
    void aPastedTemplateIsNotedAndIsText() throws IOException {
        String pasted = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>Hello<|eot_id|>";
        Shell.Result run = shadowkv("run", "needle-32k", pasted, "-n", "1").succeeded();
        assertThat(run.err())
                .contains("note: the prompt begins with <|begin_of_text|>, which is read as text")
                .contains("--raw");
        assertThat(new Shell()
                        .typing(pasted + "\n")
                        .run("run", "needle-32k", "--chat", "-n", "1")
                        .succeeded()
                        .err())
                .contains("note: the prompt begins with <|begin_of_text|>, which is read as text");
        ObjectNode message =
                JsonMapper.shared().createObjectNode().put("role", "user").put("content", pasted);
        Path chat = Files.writeString(temporary.resolve("chat.json"), "[" + message + "]");
        JsonNode json =
                shadowkv("tokenize", "needle-32k", "--chat", chat, "--json").json();
        List<String> specials = json.get("tokens")
                .valueStream()
                .map(JsonNode::stringValue)
                .filter(token -> token.startsWith("<|") && token.endsWith("|>"))
                .toList();
        assertThat(json.get("text").stringValue()).contains(pasted);
        assertThat(specials)
                .containsExactly(
                        "<|begin_of_text|>",
                        "<|start_header_id|>",
                        "<|end_header_id|>",
                        "<|eot_id|>",
                        "<|start_header_id|>",
                        "<|end_header_id|>",
                        "<|eot_id|>",
                        "<|start_header_id|>",
                        "<|end_header_id|>");
    }
}
