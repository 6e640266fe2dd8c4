package io.shadowkv.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.checkpoint.Json;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Decoded blocks against the checksums of ggml's and gguf-py's own decoders, to the bit.
class BlockWeightTest {
    private static final Path GOLDEN = Fixtures.golden("weights").resolve("weights");

    @ParameterizedTest
    @ValueSource(strings = {"Q8_0", "Q4_0", "Q5_K"})
    void decodesAsGgmlDoes(String name) throws IOException {
        JsonNode facts = Json.object(GOLDEN.resolve("tensors.json")).path(name);
        byte[] bytes = Files.readAllBytes(GOLDEN.resolve(name + ".bin"));
        BlockWeight weight = new BlockWeight(
                BlockFormat.valueOf(name),
                facts.path("shape").path(0).intValue(),
                facts.path("shape").path(1).intValue(),
                new HostMemory(MemorySegment.ofArray(bytes)),
                0);

        assertThat(weight.byteSize()).isEqualTo(bytes.length);
        checkSum(name, weight, facts);
    }

    /// Q4_K and Q6_K, in a file that llama.cpp wrote.
    @Test
    void decodesEveryMatrixOfAModel() {
        Path model = GOLDEN.resolve("tiny-llama32-Q4_K_M");
        JsonNode tensors = Json.object(model.resolve("golden/golden.json")).path("tensors");
        Map<String, String> names = Map.of(
                "model.embed_tokens.weight", "token_embd.weight",
                "model.layers.0.self_attn.q_proj.weight", "blk.0.attn_q.weight",
                "model.layers.1.self_attn.v_proj.weight", "blk.1.attn_v.weight",
                "model.layers.1.mlp.down_proj.weight", "blk.1.ffn_down.weight",
                "model.layers.1.mlp.up_proj.weight", "blk.1.ffn_up.weight");
        try (Checkpoint checkpoint = Checkpoint.open(model.resolve("tiny-llama32-Q4_K_M.gguf"))) {
            names.forEach((ours, theirs) -> {
                JsonNode facts = tensors.path(theirs);
                Weight weight = checkpoint.weight(
                        ours,
                        facts.path("shape").path(0).intValue(),
                        facts.path("shape").path(1).intValue());
                assertThat(weight.format()).isEqualTo(facts.path("type").stringValue());
                checkSum(theirs, weight, facts);
            });
        }
    }

    private static void checkSum(String name, Weight weight, JsonNode facts) {
        ByteBuffer all = ByteBuffer.allocate(weight.outputs() * weight.inputs() * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] row = new float[weight.inputs()];
        for (int i = 0; i < weight.outputs(); i++) {
            weight.decodeRow(i, row);
            for (float value : row) {
                all.putFloat(value);
            }
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(all.array());
            assertThat(HexFormat.of().formatHex(digest))
                    .as(name)
                    .isEqualTo(facts.path("sha256_f32le").stringValue());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void decodesPartsOfRowsAndSlices() {
        byte[] bytes = new byte[3 * 2 * 34];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 34 == 0 ? 0 : i % 34 == 1 ? 0x3C : i);
        }
        HostMemory memory = new HostMemory(MemorySegment.ofArray(bytes));
        BlockWeight weight = new BlockWeight(BlockFormat.Q8_0, 3, 64, memory, 0);
        float[] row = new float[64];
        weight.decodeRow(2, row);
        float[] part = new float[12];
        weight.slice(1, 2).decode(1, 27, 10, part, 2);

        assertThat(row[0]).isEqualTo((byte) (4 * 34 + 2));
        for (int i = 0; i < 10; i++) {
            assertThat(part[2 + i]).isEqualTo(row[27 + i]);
        }
        assertThat(weight.slice(1, 2).byteSize()).isEqualTo(2 * 2 * 34);
        assertThatThrownBy(() -> weight.slice(2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void refusesPartsOfBlocksAndTooLittleMemory() {
        HostMemory memory = new HostMemory(MemorySegment.ofArray(new byte[300]));
        assertThatThrownBy(() -> new BlockWeight(BlockFormat.Q4_K, 1, 128, memory, 0))
                .hasMessageContaining("[1, 128] in Q4_K", "a multiple of 256");
        assertThatThrownBy(() -> new BlockWeight(BlockFormat.Q4_K, 2, 256, memory, 13))
                .hasMessageContaining("need 288 bytes; the underlying memory has 300");
    }
}
