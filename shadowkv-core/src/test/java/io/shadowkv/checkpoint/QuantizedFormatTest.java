package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Quantised checkpoints of the hub compute what the checkpoint of their decoded numbers computes.
class QuantizedFormatTest {
    private static final String LAYER = "model.layers.0.self_attn.q_proj";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            F8E4M3   | 16 | 32 | {"quant_method": "fp8", "weight_block_size": [16, 32], "activation_scheme": "dynamic"}
            GPTQ_4   | 1  | 16 | {"quant_method": "gptq", "bits": 4, "group_size": 16, "desc_act": false}
            GPTQ_4   | 1  | 16 | {"quant_method": "gptq", "bits": 4, "group_size": 16, "desc_act": true}
            GPTQ_4   | 1  | 0  | {"quant_method": "gptq", "bits": 4, "group_size": -1, "desc_act": true}
            GPTQ_4   | 1  | 0  | {"quant_method": "gptq", "bits": 4, "group_size": -1}
            AWQ_4    | 1  | 16 | {"quant_method": "awq", "bits": 4, "group_size": 16, "version": "GEMM"}
            F8E4M3   | 1  | 0  | {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}}}
            F8E4M3   | 0  | 0  | {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "tensor"}}}}
            F8E4M3   | 8  | 16 | {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "strategy": "block", "block_structure": [8, 16]}}}}
            I8       | 1  | 0  | {"quant_method": "compressed-tensors", "format": "int-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "strategy": "channel"}, "input_activations": {"num_bits": 8}}}}
            PACKED_8 | 1  | 0  | {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8, "strategy": "channel", "symmetric": true}}}}
            PACKED_4 | 1  | 16 | {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 4, "strategy": "group", "group_size": 16}}}}
            """)
    void computesWhatItsNumbersDo(CodeLayout layout, int groupOutputs, int groupInputs, String config) {
        Path quantised = QuantizedCopies.write(folder, config, layout, groupOutputs, groupInputs);
        EngineOptions options = EngineOptions.DEFAULT.withKvType(DType.F32);
        try (Backend backend = new ReferenceBackend();
                Engine expected = Engine.open(folder.resolve("decoded"), backend, options);
                Engine found = Engine.open(quantised, backend, options)) {
            assertThat(rows(found)).isDeepEqualTo(rows(expected));
            assertThat(found.checkpoint().isQuantised()).isTrue();
            long parameters = found.checkpoint().names().stream()
                    .mapToLong(found.checkpoint()::weights)
                    .sum();
            assertThat(parameters)
                    .isEqualTo(expected.checkpoint().names().stream()
                            .mapToLong(expected.checkpoint()::elements)
                            .sum());
            assertThat(found.notes()).hasSize(config.contains("activation") ? 1 : 0);
        }
    }

    private static float[][] rows(Engine engine) {
        int[] ids = {5, 17, 42, 7};
        List<float[]> rows = new ArrayList<>();
        engine.logits(ids, ids.length, true, 2, rows::add);
        return rows.toArray(float[][]::new);
    }

    @Test
    void everyMismatchNamesTheTensor() {
        refused(
                QuantizedCopies.FP8,
                CodeLayout.F8E4M3,
                32,
                32,
                "tensor \"" + LAYER + ".weight_scale_inv\" is [2, 1] F32; expected [4, 1] BF16 or F16 or F32 of fp8");
        refused(QuantizedCopies.FP8, CodeLayout.PACKED_8, 16, 32, "no tensor \"" + LAYER + ".weight\"");
        refused(
                QuantizedCopies.FP8.replace("fp8", "fp8\", \"of\": \"x"),
                CodeLayout.I8,
                16,
                32,
                "\"" + LAYER + ".weight\" is [64, 32] I8; expected [64, 32] F8_E4M3 of fp8");
        refused(
                QuantizedCopies.GPTQ,
                CodeLayout.AWQ_4,
                1,
                16,
                "\"" + LAYER + ".qweight\" is [32, 8] I32; expected [4, 64] I32 of GPTQ");
        refused(
                QuantizedCopies.AWQ,
                CodeLayout.AWQ_4,
                1,
                8,
                "\"" + LAYER + ".scales\" is [4, 64] F32; expected [2, 64] BF16 or F16 or F32 of AWQ");
    }

    private void refused(String config, CodeLayout layout, int groupOutputs, int groupInputs, String message) {
        Path own = folder.resolve("case-" + message.hashCode());
        Path quantised = QuantizedCopies.write(own, config, layout, groupOutputs, groupInputs);
        try (Checkpoint checkpoint = Checkpoint.open(quantised)) {
            assertThatThrownBy(() -> checkpoint.weight(LAYER + ".weight", 64, 32))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(message);
        }
    }

    @Test
    void missingScalesAndOrdersAreNamed() throws IOException {
        Path quantised = QuantizedCopies.write(folder, QuantizedCopies.GPTQ, CodeLayout.GPTQ_4, 1, 16);
        rewrite(quantised, ".scales");
        try (Checkpoint checkpoint = Checkpoint.open(quantised)) {
            assertThatThrownBy(() -> checkpoint.weight(LAYER + ".weight", 64, 32))
                    .hasMessageContaining("tensor \"" + LAYER + ".scales\" is missing; expected [2, 64]");
        }
        Files.delete(quantised.resolve("model.safetensors"));
        QuantizedCopies.write(folder.resolve("again"), QuantizedCopies.GPTQ, CodeLayout.GPTQ_4, 1, 16);
        Path again = folder.resolve("again/quantised");
        rewrite(again, ".g_idx");
        try (Checkpoint checkpoint = Checkpoint.open(again)) {
            // Old files have no order: groups are neighbours.
            assertThat(checkpoint.weight(LAYER + ".weight", 64, 32)).isInstanceOf(GroupedWeight.class);
        }
    }

    /// What testdata/generators/gptq_order.py packed and decoded.
    @Test
    void activationOrderIsThatOfGptq() throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 16, \"desc_act\":"
                        + " true}}");
        try (InputStream in = getClass().getResourceAsStream("gptq-order.safetensors")) {
            Files.copy(Objects.requireNonNull(in), folder.resolve("model.safetensors"));
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            var weight = (GroupedWeight) checkpoint.weight(LAYER + ".weight", 24, 64);
            assertThat(weight.order()).isNotNull();
            Tensor expected = checkpoint.tensor("weight");
            float[] row = new float[64];
            for (int i = 0; i < 24; i++) {
                weight.decodeRow(i, row);
                assertThat(row).as("row %d", i).containsExactly(Floats.toArray(expected.row(i)));
            }
        }
    }

    @Test
    void ordersThatCannotBeAreNamed() throws IOException {
        String ordered = QuantizedCopies.GPTQ.replace("}", ", \"desc_act\": true}");
        Path quantised = QuantizedCopies.write(folder, ordered, CodeLayout.GPTQ_4, 1, 16);
        int right = setGroup(quantised, 2);
        refused(quantised, ".g_idx\" is [32] I32 and puts input 3 into group 2; expected a group from 0 to 1. Fetch");
        setGroup(quantised, -1);
        refused(quantised, ".g_idx\" is [32] I32 and puts input 3 into group -1; expected a group from 0 to 1. Fetch");
        setGroup(quantised, 1 - right);
        int first = right == 0 ? 15 : 17;
        refused(quantised, ".g_idx\" is [32] I32 and puts " + first + " inputs into group 0; expected 16. Fetch");
        rewrite(quantised, ".g_idx");
        refused(quantised, "tensor \"" + LAYER + ".g_idx\" is missing; expected [32] I32 of GPTQ");
    }

    private static void refused(Path quantised, String message) {
        try (Checkpoint checkpoint = Checkpoint.open(quantised)) {
            assertThatThrownBy(() -> checkpoint.weight(LAYER + ".weight", 64, 32))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(message);
        }
    }

    /// Changes the group of input 3 of one matrix.
    ///
    /// @return the group before
    private static int setGroup(Path model, int group) {
        var writer = new SafetensorsWriter();
        int before = 0;
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (String name : checkpoint.names()) {
                Tensor tensor = checkpoint.tensor(name);
                if (name.equals(LAYER + ".g_idx")) {
                    int[] groups = tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
                    before = groups[3];
                    groups[3] = group;
                    writer.add(name, tensor.shape(), groups);
                } else {
                    writer.add(name, tensor);
                }
            }
            writer.write(model.resolve("model.safetensors"));
        }
        return before;
    }

    /// Writes the file again without the tensors of a suffix.
    private static void rewrite(Path model, String without) {
        var writer = new SafetensorsWriter();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            checkpoint.names().stream()
                    .filter(name -> !name.endsWith(without))
                    .forEach(name -> writer.add(name, checkpoint.tensor(name)));
            writer.write(model.resolve("model.safetensors"));
        }
    }
}
