package io.shadowkv.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.tokenizer.GoldenLines.Comparison;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Original SentencePiece models, built from a golden vocabulary, must produce the golden ids.
class SentencePieceTest {
    private static final int BPE = 2;

    @TempDir
    Path folder;

    /// The two differ in the blank in front and in the format of the pre-tokenizer, as each config
    /// says.
    @ParameterizedTest
    @ValueSource(strings = {"sp-yi", "sp-phi3", "sp-metaspace"})
    void encodesAndDecodesAsTheTokenizerJsonOfTheSameVocabulary(String name) throws IOException {
        Path golden = GoldenLines.root().resolve(name);
        boolean isPrefixed = !name.equals("sp-yi");
        Files.write(folder.resolve("tokenizer.model"), model(golden, isPrefixed, BPE, "identity"));
        Files.copy(golden.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        if (name.equals("sp-phi3")) {
            // Its tokenizer.json has the older format, which a config calls legacy.
            String config = Files.readString(folder.resolve("tokenizer_config.json"));
            Files.writeString(
                    folder.resolve("tokenizer_config.json"), config.replace("\"legacy\": false", "\"legacy\": true"));
        }
        Comparison comparison = new Comparison();
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            for (JsonNode line : GoldenLines.lines(golden.resolve("golden_encode.jsonl"))) {
                String text = line.path("text").asString();
                int[] ids = GoldenLines.ids(line.path("ids"));
                comparison.same("ids of " + text, tokenizer.encode(text, true), ids);
                comparison.same(
                        "decode of " + text,
                        tokenizer.decode(ids, false),
                        line.path("decode").asString());
            }
        }
        comparison.done(400);
    }

    @Test
    void controlPiecesAreSpecialWithoutAConfig() throws IOException {
        Files.write(
                folder.resolve("tokenizer.model"), model(GoldenLines.root().resolve("sp-yi"), true, BPE, "identity"));
        try (Tokenizer tokenizer = Tokenizers.open(folder)) {
            int[] ids = tokenizer.encode("<s>a", true);
            assertThat(ids).startsWith(1, 1);
            assertThat(tokenizer.decode(ids, true)).isEqualTo("a");
            assertThat(tokenizer.encodeAsText("<s>")).doesNotContain(1);
            assertThat(tokenizer.isSpecial(2)).isTrue();
            assertThat(tokenizer.isSpecial(40)).isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource({"1, identity, its model type is 1", "2, nmt_nfkc, its normalizer is \"nmt_nfkc\""})
    void saysHowToConvertOtherModels(int type, String normalizer, String reason) throws IOException {
        Files.write(
                folder.resolve("tokenizer.model"), model(GoldenLines.root().resolve("sp-yi"), true, type, normalizer));
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.model")
                .hasMessageContaining(reason)
                .hasMessageContaining("save_pretrained");
    }

    @Test
    void refusesTruncatedAndForeignFiles() throws IOException {
        byte[] whole = model(GoldenLines.root().resolve("sp-yi"), true, BPE, "identity");
        Path file = folder.resolve("tokenizer.model");
        for (int length : new int[] {0, 1, 2, 7, 100, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Tokenizers.open(folder))
                    .as("%d bytes", length)
                    .isInstanceOf(TokenizerException.class)
                    .hasMessageContaining(file.toString());
        }
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n");
        assertThatThrownBy(() -> Tokenizers.open(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("Git LFS");
    }

    /// Builds a ModelProto from a golden vocabulary; the score of a merged piece is minus the rank
    /// of its merge.
    private static byte[] model(Path golden, boolean isPrefixed, int type, String normalizer) {
        JsonNode bpe = GoldenLines.object(golden.resolve("tokenizer.json")).path("model");
        Map<String, Integer> rank = new HashMap<>();
        for (JsonNode merge : bpe.path("merges")) {
            String merged = merge.isArray()
                    ? merge.path(0).asString() + merge.path(1).asString()
                    : merge.asString().replace(" ", "");
            rank.putIfAbsent(merged, rank.size());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Map<Integer, String> pieces = new HashMap<>();
        bpe.path("vocab")
                .properties()
                .forEach(entry -> pieces.put(entry.getValue().asInt(), entry.getKey()));
        for (int id = 0; id < pieces.size(); id++) {
            String piece = pieces.get(id);
            int kind = id == 0 ? 2 : id < 3 ? 3 : piece.matches("<0x..>") ? 6 : 1;
            field(out, 1, piece(piece, -rank.getOrDefault(piece, 1_000_000), kind));
        }
        ByteArrayOutputStream trainer = new ByteArrayOutputStream();
        number(trainer, 3, type);
        number(trainer, 35, 1);
        field(out, 2, trainer.toByteArray());
        ByteArrayOutputStream spec = new ByteArrayOutputStream();
        field(spec, 1, normalizer.getBytes(StandardCharsets.UTF_8));
        number(spec, 3, isPrefixed ? 1 : 0);
        number(spec, 4, 0);
        field(out, 3, spec.toByteArray());
        return out.toByteArray();
    }

    private static byte[] piece(String text, float score, int kind) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        field(out, 1, text.getBytes(StandardCharsets.UTF_8));
        varint(out, 2 << 3 | 5);
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(score)
                .array());
        number(out, 3, kind);
        return out.toByteArray();
    }

    private static void field(ByteArrayOutputStream out, int number, byte[] content) {
        varint(out, number << 3 | 2);
        varint(out, content.length);
        out.writeBytes(content);
    }

    private static void number(ByteArrayOutputStream out, int number, int value) {
        varint(out, number << 3);
        varint(out, value);
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        int rest = value;
        for (; rest > 0x7f; rest >>>= 7) {
            out.write(rest & 0x7f | 0x80);
        }
        out.write(rest);
    }
}
