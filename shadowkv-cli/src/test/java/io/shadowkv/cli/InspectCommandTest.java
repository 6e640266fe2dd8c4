package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static io.shadowkv.cli.Shell.tiny;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.RandomCheckpoint;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class InspectCommandTest {
    @Test
    void describesTheBundledModel() {
        assertThat(shadowkv("inspect", "needle-32k").succeeded().out())
                .contains("9,638,016, BF16, 18.4 MiB", "5, hidden size 384, intermediate size 1,024")
                .contains(
                        "8 for queries, 4 for keys and values, head dim 64", "2,048, embeddings tied", "32,768 tokens")
                .contains("memory of 32,768 tokens, batch 1", "landmarks", "largest batch")
                .containsPattern("full needs [\\d.]+ times as much as shadowkv");
    }

    /// Layers of one kind share a line.
    @Test
    void saysWhatEachLayerComputes(@TempDir Path temporary) {
        Path folder = new RandomCheckpoint("smollm3", 4, 4, 2, 16, 64, 1024, ", \"no_rope_layers\": [1, 1, 0, 1]")
                .write(temporary.resolve("model"));
        assertThat(shadowkv("inspect", folder).succeeded().out())
                .containsPattern("layers 0-1, 3 +full attention, rotary, gated MLP of 48")
                .containsPattern("layers 2 +full attention, no rotation, gated MLP of 48");
        JsonNode kinds = shadowkv("inspect", folder, "--json").json().get("layer_kinds");
        assertThat(kinds.size()).isEqualTo(4);
        assertThat(kinds.get(2).stringValue()).isEqualTo("full attention, no rotation, gated MLP of 48");
    }

    @Test
    void plansAddUp() {
        JsonNode json = shadowkv(
                        "inspect",
                        "needle-32k",
                        "--context",
                        "16384",
                        "--batch",
                        "3",
                        "--rank",
                        "32",
                        "--budget",
                        "256",
                        "--json")
                .json();
        assertThat(json.get("parameters").longValue()).isEqualTo(9_638_016);
        for (String method : new String[] {"full", "shadowkv"}) {
            JsonNode plan = json.at("/plans/" + method);
            long resident = 0;
            long offloaded = 0;
            for (JsonNode part : plan.at("/per_sequence/parts")) {
                if (part.get("offloaded").booleanValue()) {
                    offloaded += part.get("bytes").longValue();
                } else {
                    resident += part.get("bytes").longValue();
                }
            }
            assertThat(resident)
                    .isPositive()
                    .isEqualTo(plan.at("/per_sequence/resident_bytes").longValue());
            assertThat(offloaded)
                    .isEqualTo(plan.at("/per_sequence/offloaded_bytes").longValue());
            assertThat(plan.get("resident_bytes").longValue()).isEqualTo(3 * resident);
            assertThat(plan.get("context_tokens").intValue()).isEqualTo(16_384);
        }
        // Keys and values of 16,384 tokens: 5 layers, 4 heads of 64 elements, bf16.
        assertThat(json.at("/plans/full/per_sequence/resident_bytes").longValue())
                .isEqualTo(2L * 16_384 * 5 * 4 * 64 * 2);
        assertThat(json.get("resident_factor").doubleValue()).isGreaterThan(4);
    }

    @Test
    void saysWhatDoesNotFit() {
        JsonNode json = shadowkv("inspect", "needle-32k", "--memory", "100M", "--host-memory", "1G", "--json")
                .json();
        assertThat(json.at("/plans/full/admitted").booleanValue()).isFalse();
        assertThat(json.at("/plans/full/largest_batch").intValue()).isZero();
        assertThat(json.at("/plans/full/available_device_bytes").longValue()).isEqualTo(100L << 20);
    }

    @ParameterizedTest
    @CsvSource({
        "tiny-llama3-bf16, llama, default",
        "tiny-llama31-bf16, llama, llama3",
        "tiny-yi-bf16, llama, default",
        "tiny-qwen2-tied-bf16, qwen2, default",
        "tiny-phi3-bf16, phi3, longrope",
        "tiny-glm-bf16, glm, default",
        "tiny-chatglm-bf16, chatglm, default"
    })
    void readsEveryFamily(String model, String family, String scaling) {
        JsonNode json =
                shadowkv("inspect", tiny(model), "--context", "2048", "--json").json();
        assertThat(json.get("family").stringValue()).isEqualTo(family);
        assertThat(json.at("/rope/scaling").stringValue()).isEqualTo(scaling);
    }
}
