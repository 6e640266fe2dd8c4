package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.sampling.LogitsException;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Checkpoints whose weights contradict their configuration, or are not numbers.
class DamagedWeightsTest {
    private static final String HEAD = "lm_head.weight";
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final int[] IDS = Logits.ids(20, 64, 3);

    @TempDir
    Path temporary;

    private Path model(String name, String extra) {
        RandomCheckpoint small = RandomCheckpoint.SMALL;
        return new RandomCheckpoint(
                        small.family(),
                        small.layers(),
                        small.queryHeads(),
                        small.kvHeads(),
                        small.headDim(),
                        small.vocabulary(),
                        small.context(),
                        extra)
                .write(temporary.resolve(name));
    }

    private static Map<String, float[]> weights(Path model) {
        Map<String, float[]> weights = new LinkedHashMap<>();
        try (Arena arena = Arena.ofConfined()) {
            Safetensors file = Safetensors.open(model.resolve("model.safetensors"), arena);
            file.names().forEach(name -> weights.put(name, Floats.toArray(file.tensor(name))));
        }
        return weights;
    }

    /// Writes other values under the names and in the shapes that the model has.
    private static void rewrite(Path model, Map<String, float[]> weights) throws IOException {
        Path written = model.resolve("new.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            Safetensors file = Safetensors.open(model.resolve("model.safetensors"), arena);
            SafetensorsWriter writer = new SafetensorsWriter();
            for (Map.Entry<String, float[]> entry : weights.entrySet()) {
                Tensor old = file.tensor(file.has(entry.getKey()) ? entry.getKey() : EMBEDDING);
                writer.add(entry.getKey(), old.shape(), entry.getValue());
            }
            writer.write(written);
        }
        Files.delete(model.resolve("model.safetensors"));
        Files.move(written, model.resolve("model.safetensors"));
    }

    /// What a model computes.
    private record Seen(float[] logits, boolean areTied, List<String> notes) {}

    private static Seen seen(Path model) {
        try (Backend backend = new ReferenceBackend();
                Engine engine = Engine.open(model, backend, EngineOptions.DEFAULT)) {
            List<float[]> rows = new ArrayList<>();
            engine.logits(IDS, IDS.length, false, 0, row -> rows.add(row.clone()));
            return new Seen(rows.getFirst(), engine.spec().tiedEmbeddings(), engine.notes());
        }
    }

    @Test
    void aHeadThatDiffersFromTheEmbeddingIsUsedWhateverTheConfigurationSays() {
        Seen untied = seen(model("untied", ""));
        Seen tied = seen(model("tied", ", \"tie_word_embeddings\": true"));
        assertThat(tied.logits()).isEqualTo(untied.logits());
        assertThat(tied.areTied()).isFalse();
        assertThat(tied.notes())
                .singleElement()
                .asString()
                .contains("tie_word_embeddings is true", HEAD, EMBEDDING, "the model's head is " + HEAD);
        assertThat(untied.notes()).isEmpty();
    }

    /// A copy of the embedding, no head at all, or no embedding: the same tied model, and nothing to say.
    @Test
    void headsThatAreTheEmbeddingStayTied() throws IOException {
        Path copy = model("copy", ", \"tie_word_embeddings\": true");
        Map<String, float[]> weights = weights(copy);
        weights.put(HEAD, weights.get(EMBEDDING));
        rewrite(copy, weights);

        Path alone = model("alone", ", \"tie_word_embeddings\": true");
        weights.remove(HEAD);
        rewrite(alone, weights);

        Path renamed = model("renamed", ", \"tie_word_embeddings\": true");
        weights.put(HEAD, weights.remove(EMBEDDING));
        rewrite(renamed, weights);

        Seen expected = seen(alone);
        assertThat(expected.areTied()).isTrue();
        for (Path other : new Path[] {copy, renamed}) {
            Seen seen = seen(other);
            assertThat(seen.logits()).as(other.toString()).isEqualTo(expected.logits());
            assertThat(seen.areTied()).isTrue();
            assertThat(seen.notes()).isEmpty();
        }
    }

    @Test
    void aWeightThatIsNoNumberIsNamed() throws IOException {
        Path model = model("nan", "");
        Map<String, float[]> weights = weights(model);
        weights.get("model.layers.1.mlp.up_proj.weight")[32 + 5] = Float.NaN;
        rewrite(model, weights);
        String cause =
                ": model.safetensors: tensor \"model.layers.1.mlp.up_proj.weight\" is [48, 32] F32 and holds NaN at"
                        + " [1, 5]. The file is damaged; fetch it again";

        try (Backend backend = new ReferenceBackend();
                Engine engine = Engine.open(model, backend, EngineOptions.DEFAULT)) {
            List<float[]> rows = new ArrayList<>();
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> engine.logits(IDS, IDS.length, false, 0, rows::add))
                    .withMessageStartingWith("position 19: the logit of token 0 is NaN; expected finite numbers")
                    .withMessageEndingWith(cause);
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> engine.logits(IDS, 7, true, 2, rows::add))
                    .withMessageStartingWith("position 0: ");
            assertThat(rows).isEmpty();
            assertThatExceptionOfType(LogitsException.class)
                    .isThrownBy(() -> engine.complete(Request.of(IDS, GenerationOptions.DEFAULT)))
                    .withMessageStartingWith("the logit of token 0 is NaN")
                    .withMessageEndingWith(cause);
        }
    }

    @Test
    void activationsThatOverflowAreToldFromDamagedWeights() throws IOException {
        Path model = model("overflow", "");
        Map<String, float[]> weights = weights(model);
        for (String name : new String[] {"model.norm.weight", HEAD}) {
            float[] values = weights.get(name);
            for (int i = 0; i < values.length; i++) {
                values[i] *= 1e30f;
            }
        }
        rewrite(model, weights);
        assertThatExceptionOfType(LogitsException.class)
                .isThrownBy(() -> seen(model))
                .withMessageContaining("every weight is a finite number, so the model's activations overflow");
    }
}
