package io.shadowkv.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.WeightPrecision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A checkpoint whose weights are not those of its configuration: messages name the tensor, what was expected
/// and what was found.
class FamilyWeightsTest {
    private static final String EXPERTS =
            ", \"num_experts\": 3, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 24";

    @TempDir
    Path temporary;

    private Path checkpoint(String family, String extra) {
        return new RandomCheckpoint(family, 2, 4, 2, 16, 64, 4096, extra).write(temporary);
    }

    private void replace(String from, String to) throws IOException {
        Path config = temporary.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(from);
        Files.writeString(config, text.replace(from, to));
    }

    private void refused(String... words) {
        try (Checkpoint checkpoint = Checkpoint.open(temporary);
                Backend backend = new ReferenceBackend()) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> Decoder.load(checkpoint, null, WeightPrecision.STORED, backend, note -> {}))
                    .satisfies(e -> assertThat(e.getMessage()).contains(words));
        }
    }

    @Test
    void namesAMissingNormOfHeads() throws IOException {
        checkpoint("llama", "");
        replace("\"llama\"", "\"qwen3\"");
        refused("model.layers.0.self_attn.q_norm.weight");
    }

    @Test
    void namesAMissingNormOfOutputs() throws IOException {
        checkpoint("glm", "");
        replace("\"glm\"", "\"glm4\"");
        refused("model.layers.0.post_self_attn_layernorm.weight");
    }

    @Test
    void namesAMissingRouterAndExpert() throws IOException {
        checkpoint("qwen3", EXPERTS);
        replace("\"qwen3\"", "\"qwen3_moe\"");
        refused("model.layers.0.mlp.gate.weight");
        checkpoint("qwen3_moe", EXPERTS + ", \"note\": 0");
        replace("\"num_experts\": 3", "\"num_experts\": 4");
        refused("model.layers.0.mlp.gate.weight", "[3, 32]", "expected [4, 32]");
    }

    @Test
    void namesANormOfAnotherSize() throws IOException {
        checkpoint("qwen3", "");
        replace(
                "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"head_dim\": 16",
                "\"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"head_dim\": 32");
        refused("model.layers.0.self_attn.q_norm.weight", "[16]", "expected [32]");
    }

    @Test
    void refusesMoreExpertsThanThereAre() throws IOException {
        checkpoint("qwen3_moe", EXPERTS);
        replace("\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 4");
        refused("config.json: ", "num_experts is 3 and num_experts_per_tok 4");
    }
}
