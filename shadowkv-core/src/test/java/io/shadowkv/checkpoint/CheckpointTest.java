package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    @TempDir
    Path folder;

    static Stream<String> goldenModels() throws IOException {
        try (Stream<Path> models = Files.list(Fixtures.golden("models").resolve("models"))) {
            return models.map(model -> model.getFileName().toString()).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("goldenModels")
    void goldenModelsOpenWhole(String model) {
        Path golden = Fixtures.golden("models").resolve("models").resolve(model);
        try (Checkpoint checkpoint = Checkpoint.open(golden)) {
            long bytes = 0;
            for (String name : checkpoint.names()) {
                Tensor tensor = checkpoint.tensor(name);
                assertThat(checkpoint.tensor(name, tensor.shape().toArray())).isEqualTo(tensor);
                // The only F32 tensor of a BF16 model is chatglm's inv_freq.
                assertThat(tensor.dtype()).isIn(DType.BF16, DType.F32);
                bytes += tensor.byteSize();
            }
            assertThat(checkpoint.weightBytes()).isEqualTo(bytes).isPositive();
            int layers = checkpoint
                    .config()
                    .integer("num_hidden_layers", checkpoint.config().integer("num_layers", 0));
            assertThat(checkpoint.names())
                    .filteredOn(name -> name.contains("." + (layers - 1) + "."))
                    .isNotEmpty();
            assertThat(checkpoint.generation().eosTokenIds()).isNotEmpty();
            checkEmbeddings(checkpoint, golden);
        }
    }

    /// The embedded prompt, computed elsewhere, must be rows of the mapped table, bit for bit.
    private static void checkEmbeddings(Checkpoint checkpoint, Path golden) {
        String table = checkpoint.has("model.embed_tokens.weight")
                ? "model.embed_tokens.weight"
                : "transformer.embedding.word_embeddings.weight";
        if (golden.endsWith("tiny-chatglm-bf16")) {
            golden = golden.resolveSibling("tiny-glm-bf16");
        }
        Tensor embeddings = checkpoint.tensor(table);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors expected = Safetensors.open(golden.resolve("golden/expected.safetensors"), arena);
            int[] ids = SafetensorsTest.ints(expected.tensor("n17.ids"));
            Tensor embedded = expected.tensor("n17.hidden.embed");
            for (int i = 0; i < ids.length; i++) {
                assertThat(Floats.toArray(embeddings.row(ids[i]))).isEqualTo(Floats.toArray(embedded.row(i)));
            }
        }
    }

    @Test
    void theBundledModelOpensThroughItsIndex() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.needleModel())) {
            assertThat(checkpoint.config().string("model_type")).isEqualTo("llama");
            int vocabulary = checkpoint.config().positive("vocab_size");
            int width = checkpoint.config().positive("hidden_size");
            assertThat(checkpoint
                            .tensor("model.embed_tokens.weight", vocabulary, width)
                            .dtype())
                    .isEqualTo(DType.BF16);
            assertThat(checkpoint.generation().eosTokenIds()).containsExactly(4, 1);
            assertThat(checkpoint.folder()).isEqualTo(Fixtures.needleModel());
        }
    }

    @Test
    void closingUnmapsWhatItOwnsAndNothingElse() throws IOException {
        plainModel();
        Checkpoint owned = Checkpoint.open(folder);
        Tensor view = owned.tensor("w");
        owned.close();
        owned.close();
        assertThatThrownBy(() -> Floats.toArray(view)).isInstanceOf(IllegalStateException.class);

        try (Arena arena = Arena.ofConfined()) {
            Checkpoint borrowed = Checkpoint.open(folder, arena);
            borrowed.close();
            assertThat(Floats.toArray(borrowed.tensor("w"))).hasSize(6);
        }
    }

    private void plainModel() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        new SafetensorsWriter()
                .add("w", Shape.of(2, 3), new float[] {0, 1, 2, 3, 4, 5})
                .add("ids", Shape.of(1), new int[] {1})
                .write(folder.resolve("model.safetensors"));
    }

    @Test
    void wrongShapesAndTypesAreTold() throws IOException {
        plainModel();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(Floats.toArray(checkpoint.tensor("w", 2, 3))).containsExactly(0, 1, 2, 3, 4, 5);
            assertThatThrownBy(() -> checkpoint.tensor("w", 3, 2))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("model.safetensors: tensor \"w\" is [2, 3] F32; expected [3, 2] F32");
            assertThatThrownBy(() -> checkpoint.tensor("ids", 1))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith(
                            "model.safetensors: tensor \"ids\" is [1] I32; expected [1] BF16, F16 or F32");
            assertThatThrownBy(() -> checkpoint.tensor("v", 1))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("no tensor \"v\" among the 2 of its weights, such as [w, ids]");
            assertThat(checkpoint.has("v")).isFalse();
            assertThat(checkpoint.weightBytes()).isEqualTo(28);
        }
    }

    private void refused(String... parts) {
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(CheckpointException.class)
                .message()
                .contains(parts);
    }

    @Test
    void foldersThatAreNoModelAreTold() throws IOException {
        refused(folder.toString(), "no config.json; the folder is empty");
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("absent")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no such folder")
                .hasMessageContaining("The bundled model is the folder models/needle-32k of a checkout")
                .hasMessageContaining("shadowkv pull");
        Path file = Files.writeString(folder.resolve("file.txt"), "");
        assertThatThrownBy(() -> Checkpoint.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("a file, not a folder");
        refused("no config.json; found [file.txt]");
        Files.delete(file);
        Path gguf = Files.writeString(folder.resolve("file.gguf"), "");
        Files.writeString(folder.resolve("config.json"), "{}");
        refused("no *.safetensors, only [file.gguf]. Give a GGUF file itself");
        Files.delete(gguf);
        refused("no *.safetensors. Fetch the weights too");
        Files.writeString(folder.resolve("pytorch_model.bin"), "");
        refused("only [pytorch_model.bin], which the engine does not read", "safe_serialization=True");
        Files.writeString(folder.resolve("config.json"), "[1]");
        refused("config.json: expected a JSON object, found an array of 1 elements");
        Files.writeString(folder.resolve("config.json"), "{\"a\": ");
        refused("config.json: not valid JSON at line 1, column");
    }

    @Test
    void oneFileOfAnyNameWillDo() throws IOException {
        plainModel();
        Files.move(folder.resolve("model.safetensors"), folder.resolve("weights.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("w", "ids");
        }
        Files.copy(folder.resolve("weights.safetensors"), folder.resolve("more.safetensors"));
        refused("2 *.safetensors files but no model.safetensors.index.json");
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(
                folder.resolve(CheckpointFolder.INDEX), "{\"metadata\": {}, \"weight_map\": " + weightMap + "}");
    }

    @Test
    void indexesThatDoNotFitAreTold() throws IOException {
        plainModel();
        Files.move(folder.resolve("model.safetensors"), folder.resolve("one.safetensors"));
        index("{\"w\": \"one.safetensors\"}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("w");
            assertThat(checkpoint.weightBytes()).isEqualTo(24);
        }
        index("{\"w\": \"one.safetensors\", \"v\": \"two.safetensors\"}");
        refused("the index names two.safetensors, which is not there");
        index("{\"w\": \"one.safetensors\", \"v\": \"one.safetensors\"}");
        refused("tensor \"v\" should be in one.safetensors, which does not hold it");
        for (String name :
                new String[] {"\"../one.safetensors\"", "\"/etc/passwd\"", "\"..\"", "\"\"", "7", "\"a\\u0000b\""}) {
            index("{\"w\": " + name + "}");
            refused("tensor \"w\" is mapped to", "a file in the same folder");
        }
        index("{}");
        refused("\"weight_map\" is an object of 0 entries");
        index("[]");
        refused("\"weight_map\" is an array of 0 elements");
        Files.writeString(folder.resolve(CheckpointFolder.INDEX), "{}");
        refused("\"weight_map\" is nothing");
    }

    @Test
    void aCutShardIsTold() throws IOException {
        plainModel();
        Path file = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 1));
        refused("model.safetensors: the header promises 28 bytes of data, the file has 27. It is cut; fetch it again");
    }

    /// Any tensor's data, name, type or shape; not the files they stand in.
    @Test
    void theFingerprintTellsWeightsApart() throws IOException {
        float[] large = new float[40_000];
        String first = fingerprint("a", large, DType.F32);
        assertThat(first).matches("[0-9a-f]{16}");
        assertThat(fingerprint("a", large, DType.F32)).isEqualTo(first);
        assertThat(fingerprint("b", large, DType.F32)).isNotEqualTo(first);
        for (int changed : new int[] {0, 39_999}) {
            float[] other = large.clone();
            other[changed] = 1;
            assertThat(fingerprint("a", other, DType.F32)).isNotEqualTo(first);
        }
        float[] trained = new float[40_000];
        Arrays.fill(trained, 1e-3f);
        assertThat(fingerprint("a", trained, DType.F32)).isNotEqualTo(first);
        assertThat(fingerprint("a", new float[40_001], DType.F32)).isNotEqualTo(first);
        assertThat(fingerprint("a", large, DType.I32)).isNotEqualTo(first);

        Path split = Files.createDirectories(folder.resolve("split"));
        Files.writeString(split.resolve("config.json"), "{}");
        new SafetensorsWriter().add("z", Shape.of(2), new float[] {1, 2}).write(split.resolve("one.safetensors"));
        new SafetensorsWriter().add("a", Shape.of(40_000), large).write(split.resolve("two.safetensors"));
        Files.writeString(
                split.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"z\": \"one.safetensors\", \"a\": \"two.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(split)) {
            assertThat(checkpoint.fingerprint()).isEqualTo(first);
        }
    }

    private String fingerprint(String name, float[] values, DType type) throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        Files.writeString(model.resolve("config.json"), "{}");
        var writer = new SafetensorsWriter().add("z", Shape.of(2), new float[] {1, 2});
        if (type == DType.F32) {
            writer.add(name, Shape.of(values.length), values);
        } else {
            writer.add(name, Shape.of(values.length), new int[values.length]);
        }
        writer.write(model.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return checkpoint.fingerprint();
        }
    }

    /// Types that no layer reads are nobody's business, even where they are the most.
    @Test
    void unusedTensorsOfOtherTypesDoNotMatter() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        byte[] header = ("{\"w\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                        + "\"x\":{\"dtype\":\"F8_E5M2\",\"shape\":[8],\"data_offsets\":[4,12]},"
                        + "\"y\":{\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[12,16]},"
                        + "\"z\":{\"dtype\":\"I64\",\"shape\":[5],\"data_offsets\":[16,56]}}")
                .getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + 56).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(
                folder.resolve("model.safetensors"),
                file.putLong(header.length).put(header).array());
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.weightType()).isEqualTo(DType.F16);
            assertThat(checkpoint.weightBytes()).isEqualTo(56);
            assertThat(checkpoint.typeName("x")).isEqualTo("F8_E5M2");
            assertThat(checkpoint.elements("x")).isEqualTo(8);
            assertThat(checkpoint.tensor("y").dtype()).isEqualTo(DType.F8E4M3);
            for (String name : new String[] {"x", "y"}) {
                assertThatThrownBy(() -> checkpoint.tensor(name, 8))
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContaining("; expected [8] BF16, F16 or F32");
            }
        }
    }

    @Test
    void whatConcernsGenerationOnlyIsReadWhenAskedFor() throws IOException {
        plainModel();
        for (String content : new String[] {"{\"top_k\": -3}", "{\"top_k\": ", "[]"}) {
            Files.writeString(folder.resolve("generation_config.json"), content);
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                assertThat(checkpoint.names()).hasSize(2);
                assertThatThrownBy(checkpoint::generation)
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageStartingWith("generation_config.json: ");
            }
        }
    }

    @Test
    void anAdapterIsToldFromAModel() throws IOException {
        Files.writeString(
                folder.resolve("adapter_config.json"),
                "{\"base_model_name_or_path\": \"org/base\", \"peft_type\": \"LORA\"}");
        new SafetensorsWriter()
                .add("base_model.model.x.lora_A.weight", Shape.of(1), new float[] {1})
                .write(folder.resolve("adapter_model.safetensors"));
        refused("holds an adapter (LORA) of org/base without the weights", "merge_and_unload()");
        Files.writeString(folder.resolve("config.json"), "{}");
        refused("holds an adapter (LORA) of org/base without the weights", "merge_and_unload()");
        plainModel();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.names()).containsExactly("w", "ids");
            assertThat(checkpoint.notes())
                    .singleElement()
                    .asString()
                    .contains("an adapter (LORA) of org/base next to the model's weights; it is not applied");
        }
        Files.delete(folder.resolve("adapter_config.json"));
        Files.delete(folder.resolve("adapter_model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notes()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config.json",
                "model.safetensors",
                "model.safetensors.index.json",
                "one.safetensors",
                "generation_config.json"
            })
    void filesThatStandForOthersAreTold(String name) throws IOException {
        String pointer =
                "version https://git-lfs.github.com/spec/v1\noid sha256:" + "ab".repeat(32) + "\nsize 4976698672\n";
        otherContent(name, pointer, "this is a Git LFS pointer to a file of 4,976,698,672 bytes", "git lfs pull");
        otherContent(name, "\n<!DOCTYPE html>\n<html><head></head></html>", "this is an HTML page");
    }

    @Test
    void weightsInOtherFormatsAreTold() throws IOException {
        otherContent("model.safetensors", "GGUF\3\0\0\0\0\0\0\0", "this is a GGUF file");
        otherContent("model.safetensors", "PK\3\4\24\0\0\0\0\0\0\0", "this is a ZIP archive, as PyTorch saves weights");
    }

    private void otherContent(String name, String content, String... parts) throws IOException {
        plainModel();
        Files.writeString(folder.resolve("generation_config.json"), "{}");
        if (!name.equals("model.safetensors")) {
            Files.move(
                    folder.resolve("model.safetensors"),
                    folder.resolve("one.safetensors"),
                    StandardCopyOption.REPLACE_EXISTING);
            index("{\"w\": \"one.safetensors\"}");
        }
        Files.writeString(folder.resolve(name), content);
        assertThatThrownBy(() -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                        checkpoint.generation();
                    }
                })
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(name + ": ")
                .message()
                .contains(parts);
    }

    @Test
    void theWeightThatIsNoNumberIsFound() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        new SafetensorsWriter()
                .add("a.weight", Shape.of(2, 3), new float[] {0, 1, 2, 3, 4, 5})
                .add("b.bias", Shape.of(2, 2), new float[] {0, 1, Float.NEGATIVE_INFINITY, 3})
                .add("mask", Shape.of(1), new float[] {Float.NEGATIVE_INFINITY})
                .write(folder.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notFinite().orElseThrow())
                    .startsWith("model.safetensors: tensor \"b.bias\" is [2, 2] F32 and holds -Infinity at [1, 0]");
        }
        plainModel();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notFinite()).isEmpty();
        }
    }
}
