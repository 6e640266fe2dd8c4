package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Weight;
import io.shadowkv.text.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// GGUF files as checkpoints: what is read, and what is refused with which words.
class GgufTest {
    @TempDir
    Path folder;

    private GgufWriter writer;

    @BeforeEach
    void makeFile() {
        writer = GgufCopies.small(folder.resolve("original"));
    }

    /// Whether a file is GGUF is asked before anything else, so this must fail as all checkpoints do.
    @Test
    void aFileThatCannotBeReadIsRefusedAsACheckpoint() throws IOException {
        Path archive = folder.resolve("broken.zip");
        try (var zip = new ZipOutputStream(Files.newOutputStream(archive))) {
            zip.putNextEntry(new ZipEntry("model"));
            zip.write("GGUF and what follows it".getBytes(StandardCharsets.UTF_8));
        }
        byte[] bytes = Files.readAllBytes(archive);
        // The entry's header and name are followed by its compressed bytes; block type 3 does not exist.
        bytes[30 + "model".length()] = 0x07;
        Files.write(archive, bytes);
        try (FileSystem files = FileSystems.newFileSystem(archive)) {
            assertThatThrownBy(() -> Checkpoint.open(files.getPath("/model")))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("cannot read /model");
        }
    }

    @Test
    void hasTheTensorsAndTheConfigurationOfItsOriginal() {
        Path file = writer.write(folder.resolve("model.gguf"));
        try (Checkpoint original = Checkpoint.open(folder.resolve("original"));
                Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.names()).containsExactlyInAnyOrderElementsOf(original.names());
            assertThat(checkpoint.weightBytes()).isEqualTo(original.weightBytes());
            assertThat(checkpoint.folder()).isEqualTo(file);
            assertThat(checkpoint.weightType()).isEqualTo(DType.F32);
            assertThat(checkpoint.isQuantised()).isFalse();
            assertThat(checkpoint.hasTokenizer()).isFalse();
            assertThat(checkpoint.config().integer("hidden_size")).isEqualTo(32);
            assertThat(checkpoint.generation().eosTokenIds()).containsExactly(3);
            assertThat(checkpoint.fingerprint()).hasSize(16);
        }
    }

    /// The suffix is not needed.
    @Test
    void isRecognisedByItsFirstBytes() {
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(folder.resolve("blob")))) {
            assertThat(checkpoint.has("lm_head.weight")).isTrue();
        }
    }

    @Test
    void aQuantisedMatrixIsAView() {
        byte[] blocks = new byte[4 * 34];
        Arrays.fill(blocks, (byte) 1);
        writer.put("general.file_type", 7).removeTensor("blk.0.attn_k.weight");
        writer.tensor("blk.0.attn_k.weight", 8, blocks, 4, 32);
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(folder.resolve("model.gguf")))) {
            Weight weight = checkpoint.weight("model.layers.0.self_attn.k_proj.weight", 4, 32);

            assertThat(weight).isInstanceOf(BlockWeight.class);
            assertThat(weight.byteSize()).isEqualTo(blocks.length);
            assertThat(checkpoint.isQuantised()).isTrue();
            assertThat(checkpoint.weightType()).isEqualTo(DType.BF16);
            assertThatThrownBy(() -> checkpoint.weight("model.layers.0.self_attn.k_proj.weight", 8, 32))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(
                            "model.gguf: tensor \"blk.0.attn_k.weight\" is [4, 32] Q8_0; expected [8, 32]");
            assertThatThrownBy(() -> checkpoint.tensor("model.layers.0.self_attn.k_proj.weight", 4, 32))
                    .hasMessageContaining("is [4, 32] Q8_0; expected [4, 32] BF16, F16 or F32");
            assertThatThrownBy(() -> checkpoint.weight("model.layers.9.mlp.up_proj.weight", 4, 32))
                    .hasMessageContaining("model.gguf: no tensor \"blk.9.ffn_up.weight\" among the");
        }
    }

    /// A block with a scale of infinity is found and named.
    @Test
    void aDamagedBlockIsNamed() {
        byte[] blocks = new byte[4 * 34];
        Arrays.fill(blocks, (byte) 1);
        blocks[3 * 34] = 0;
        blocks[3 * 34 + 1] = 0x7C;
        writer.removeTensor("blk.0.attn_k.weight").tensor("blk.0.attn_k.weight", 8, blocks, 4, 32);
        try (Checkpoint checkpoint = Checkpoint.open(writer.write(folder.resolve("model.gguf")))) {
            assertThat(checkpoint.notFinite().orElseThrow())
                    .contains("\"blk.0.attn_k.weight\" is [4, 32] Q8_0 and holds Infinity at [3, 0]");
        }
    }

    @Test
    void splitFilesOpenAsOne() throws IOException {
        Path whole = writer.write(folder.resolve("whole.gguf"));
        split(2);
        Path first = folder.resolve("part-00001-of-00002.gguf");
        try (Checkpoint one = Checkpoint.open(whole);
                Checkpoint two = Checkpoint.open(first)) {
            assertThat(two.names()).containsExactlyInAnyOrderElementsOf(one.names());
            assertThat(two.fingerprint()).isEqualTo(one.fingerprint());
        }
        refused(
                folder.resolve("part-00002-of-00002.gguf"),
                "this is part 2 of 2. Give the first part," + " part-00001-of-00002.gguf");
        Path renamed = Files.copy(first, folder.resolve("renamed.gguf"));
        refused(renamed, "one of 2 parts; expected a name that ends in -00001-of-00002.gguf");
        Files.delete(folder.resolve("part-00002-of-00002.gguf"));
        refused(first, "the model has 2 parts, and part-00002-of-00002.gguf is not in the same folder");
    }

    @Test
    void partsOfDifferentVersionsAreRefused() {
        split(3);
        refused(folder.resolve("part-00001-of-00002.gguf"), "tensors; expected 3");
    }

    /// Writes the head apart from everything else.
    ///
    /// @param tensors a number of tensors to state, of which 2 stands for the true one
    private void split(int tensors) {
        int count =
                GgufCopies.names(writer.write(folder.resolve("counted.gguf"))).size();
        writer.put("split.count", 2).put("split.tensors.count", tensors == 2 ? count : tensors);
        GgufWriter second;
        try (Checkpoint original = Checkpoint.open(folder.resolve("original"))) {
            second = new GgufWriter()
                    .put("split.count", 2)
                    .floats(
                            "output.weight",
                            io.shadowkv.tensor.Floats.toArray(original.tensor("lm_head.weight")),
                            64,
                            32);
        }
        writer.removeTensor("output.weight").write(folder.resolve("part-00001-of-00002.gguf"));
        second.write(folder.resolve("part-00002-of-00002.gguf"));
    }

    @Test
    void refusesOtherModelsByName() {
        refused(
                changed(file -> file.put("general.architecture", "mamba")),
                "is \"mamba\"; expected one of [granite, llama, phi3, qwen2, qwen3, qwen3moe]");
        refused(changed(file -> file.remove("general.architecture")), "\"general.architecture\" is missing");
        refused(changed(file -> file.put("llama.expert_count", 8)), "\"llama.expert_count\" is \"8\"; expected 0");
        refused(
                changed(file -> file.floats("blk.0.attn_sinks.weight", new float[4], 4)),
                "such as [blk.0.attn_sinks.weight], are not part of a llama model");
        refused(
                changed(file -> file.remove("llama.block_count")),
                "\"llama.block_count\" is missing; expected a whole number from 1");
        refused(
                changed(file -> file.put("llama.attention.head_count", List.of(4, 2))),
                "an array of 2; expected one number");
        refused(
                changed(file -> file.put("llama.attention.value_length", 8)),
                "is \"8\"; expected 16, the length of a key");
        refused(changed(file -> file.put("llama.rope.scaling.type", "longrope")), "expected none, linear or yarn");
        refused(
                changed(file -> file.put("llama.rope.scaling.factor", 4f)),
                "expected 1 in a file whose rope.scaling.type is none or missing");
        refused(changed(file -> file.put("llama.attention.sliding_window", 64)), "expected none");
        refused(
                changed(file -> file.floats("rope_freqs.weight", new float[3], 3)),
                "\"rope_freqs.weight\" is [3] F32; expected [8] F32");
        refused(changed(file -> file.removeTensor("token_embd.weight")), "no matrix \"token_embd.weight\"");
    }

    @Test
    void refusesFamiliesWithTheReason() {
        refused(
                changed(file -> file.put("general.architecture", "granitemoe")),
                "refuses granitemoe: its mixture of experts differs from Qwen3's");
        refused(
                changed(file -> file.put("general.architecture", "gpt-oss")),
                "refuses gpt-oss: its layers alternate between sliding windows and full attention");
        refused(
                changed(file -> file.put("general.architecture", "deepseek2")),
                "refuses deepseek2: its multi-head latent attention");
    }

    /// Each case starts from a file with two experts in the first layer.
    @Test
    void namesStacksThatDoNotFit() {
        String stack = "blk.0.ffn_up_exps.weight";
        refused(
                experts(file -> file.put("qwen3moe.expert_count", 3)),
                "\"qwen3moe.expert_count\" is \"3\"; expected 2, the experts of the tensor \"" + stack + "\"");
        refused(experts(file -> file.put("qwen3moe.expert_weights_scale", 2.5f)), "expected 1");
        refused(
                experts(file -> file.removeTensor(stack).floats(stack, new float[64], 2, 32)),
                "\"" + stack + "\" is [2, 32] F32; expected a matrix for each of 1 to 4096 experts");
        refused(
                experts(file -> file.removeTensor(stack).floats(stack, new float[5000], 5000, 1, 1)),
                "expected a matrix for each of 1 to 4096 experts");
        try (Checkpoint checkpoint = Checkpoint.open(experts(file -> file))) {
            assertThat(checkpoint
                            .weight("model.layers.0.mlp.experts.1.up_proj.weight", 1, 32)
                            .byteSize())
                    .isEqualTo(128);
            assertThatThrownBy(() -> checkpoint.weight("model.layers.0.mlp.experts.1.up_proj.weight", 2, 32))
                    .hasMessageContaining("tensor \"" + stack + "[1]\" is [1, 32] F32; expected [2, 32]");
            assertThatThrownBy(() -> checkpoint.weight("model.layers.0.mlp.experts.2.up_proj.weight", 1, 32))
                    .hasMessageContaining("no tensor \"" + stack + "\"");
        }
    }

    private Path experts(UnaryOperator<GgufWriter> change) {
        return changed(file -> {
            for (String key : List.of("block_count", "context_length", "embedding_length", "feed_forward_length")) {
                file.put("qwen3moe." + key, 32);
            }
            file.put("general.architecture", "qwen3moe")
                    .put("qwen3moe.attention.head_count", 2)
                    .put("qwen3moe.attention.layer_norm_rms_epsilon", 1e-6f)
                    .put("qwen3moe.expert_count", 2)
                    .put("qwen3moe.expert_used_count", 1)
                    .put("qwen3moe.expert_feed_forward_length", 1)
                    .floats("blk.0.ffn_up_exps.weight", new float[64], 2, 1, 32);
            return change.apply(file);
        });
    }

    @Test
    void namesLongRopeThatIsIncomplete() {
        refused(phi3(file -> file), "\"phi3.rope.scaling.original_context_length\" is missing");
        refused(
                phi3(file -> file.put("phi3.rope.scaling.original_context_length", 64)),
                "no tensor \"rope_factors_long.weight\" although the other set");
        refused(
                phi3(file -> file.put("phi3.rope.scaling.original_context_length", 64)
                        .floats("rope_factors_long.weight", new float[3], 3)),
                "\"rope_factors_long.weight\" is [3] F32; expected [8] F32");
        refused(phi3(file -> file.put("phi3.rope.scaling.type", "yarn")), "expected longrope or none");
    }

    private Path phi3(UnaryOperator<GgufWriter> change) {
        return changed(file -> {
            for (String key : List.of("block_count", "context_length", "embedding_length", "feed_forward_length")) {
                file.put("phi3." + key, 32);
            }
            for (String name : List.of("attn_q", "attn_k", "attn_v", "ffn_gate")) {
                file.removeTensor("blk.0." + name + ".weight").removeTensor("blk.1." + name + ".weight");
            }
            file.put("general.architecture", "phi3")
                    .put("phi3.attention.head_count", 2)
                    .put("phi3.attention.layer_norm_rms_epsilon", 1e-6f)
                    .floats("rope_factors_short.weight", new float[8], 8);
            return change.apply(file);
        });
    }

    /// Each case starts from the whole file.
    private Path changed(UnaryOperator<GgufWriter> change) {
        return change.apply(GgufCopies.small(folder.resolve("original"))).write(folder.resolve("changed.gguf"));
    }

    @Test
    void refusesTypesByName() {
        byte[] data = new byte[18 * 4];
        Path file = changed(
                model -> model.removeTensor("blk.0.attn_k.weight").tensor("blk.0.attn_k.weight", 20, data, 4, 32));
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThatThrownBy(() -> checkpoint.weight("model.layers.0.self_attn.k_proj.weight", 4, 32))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(
                            "\"blk.0.attn_k.weight\" is [4, 32] IQ4_NL; this engine reads F32, F16, BF16 and"
                                    + " [Q4_0, Q8_0, Q4_K, Q5_K, Q6_K]");
        }
        refused(changed(model -> model.tensor("blk.1.attn_k.weight.x", 4_711, data, 4, 32)), "not part of a llama");
        refused(
                changed(model ->
                        model.removeTensor("blk.0.attn_k.weight").tensor("blk.0.attn_k.weight", 4_711, data, 4, 32)),
                "of the type number 4711");
        refused(
                changed(model ->
                        model.removeTensor("blk.0.attn_k.weight").tensor("blk.0.attn_k.weight", 8, data, 2, 31)),
                "is [2, 31] Q8_0; expected rows of a multiple of 32");
        refused(
                changed(model -> model.removeTensor("blk.0.attn_k.weight")
                        .tensor("blk.0.attn_k.weight", 0, data, 1 << 20, 1 << 20)),
                "It is cut; fetch it again");
    }

    @Test
    void refusesDamage() throws IOException {
        byte[] whole = writer.bytes();
        refused(write(Arrays.copyOf(whole, whole.length - 1)), "It is cut; fetch it again");
        refused(write(Arrays.copyOf(whole, 200)), "cut or damaged");
        refused(write(Arrays.copyOf(whole, 7)), "is not a GGUF file: it has 7 bytes");
        byte[] old = whole.clone();
        old[4] = 1;
        refused(write(old), "is GGUF version 1; this engine reads versions 2 and 3");
        byte[] big = ByteBuffer.wrap(whole.clone())
                .order(ByteOrder.BIG_ENDIAN)
                .putInt(4, 3)
                .array();
        refused(write(big), "written in big-endian order");
        refused(
                changed(file -> file.put("general.alignment", 24)),
                "\"general.alignment\" is 24; expected a power of two");
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("damaged.gguf"), bytes);
    }

    private static void refused(Path file, String message) {
        assertThatThrownBy(() -> Checkpoint.open(file).close())
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file.getFileName() + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void aFolderOfGgufFilesSaysWhatToGive() {
        Path models = folder.resolve("models");
        assertThat(models.toFile().mkdirs()).isTrue();
        writer.write(models.resolve("a.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(models).close())
                .hasMessageContaining("no config.json, but [a.gguf]. Give one of these files itself");
    }
}
