package io.shadowkv.checkpoint;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.op.testing.RandomGroups;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// Small checkpoints of random codes in the formats of the hub, and next to each the plain checkpoint of the
/// numbers that the codes stand for.
public final class QuantizedCopies {
    static final String FP8 = "{\"quant_method\": \"fp8\", \"weight_block_size\": [16, 32]}";
    static final String GPTQ = "{\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 16}";
    static final String AWQ = "{\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 16, \"version\": \"gemm\"}";

    private QuantizedCopies() {}

    /// @param config `quantization_config`
    /// @return the folder of the quantised checkpoint; the plain one is its sibling `plain`
    static Path write(Path temporary, String config, CodeLayout layout, int groupOutputs, int groupInputs) {
        Path plain = RandomCheckpoint.SMALL.write(temporary.resolve("plain"));
        Path quantised = temporary.resolve("quantised");
        try (Checkpoint original = Checkpoint.open(plain)) {
            Files.createDirectories(quantised);
            String json = Files.readString(plain.resolve("config.json")).strip();
            Files.writeString(
                    quantised.resolve("config.json"),
                    json.substring(0, json.length() - 1) + ", \"quantization_config\": " + config + "}");
            var codes = new SafetensorsWriter();
            var numbers = new SafetensorsWriter();
            SplittableRandom random = new SplittableRandom(layout.ordinal());
            for (String name : original.names()) {
                Tensor tensor = original.tensor(name);
                if (!name.endsWith("_proj.weight")) {
                    codes.add(name, tensor);
                    numbers.add(name, tensor);
                    continue;
                }
                var groups = new Groups(
                        tensor.outputs(),
                        tensor.inputs(),
                        groupOutputs == 0 ? tensor.outputs() : groupOutputs,
                        groupInputs == 0 ? tensor.inputs() : groupInputs);
                GroupedWeight weight = RandomGroups.of(random, layout, groups, DType.F32);
                if (config.contains("\"desc_act\": true")) {
                    weight = RandomGroups.ordered(random, weight);
                }
                add(codes, name.substring(0, name.length() - ".weight".length()), weight, config.contains("fp8"));
                float[] decoded = io.shadowkv.op.testing.RandomBlocks.decoded(weight);
                numbers.add(name, tensor.shape(), decoded);
            }
            codes.write(quantised.resolve("model.safetensors"));
            Path temporaryFile = temporary.resolve("numbers.safetensors");
            numbers.write(temporaryFile);
            Files.move(
                    temporaryFile,
                    Files.createDirectories(temporary.resolve("decoded")).resolve("model.safetensors"));
            Files.copy(
                    plain.resolve("config.json"), temporary.resolve("decoded").resolve("config.json"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return quantised;
    }

    private static void add(SafetensorsWriter writer, String layer, GroupedWeight weight, boolean isFp8) {
        Tensor zeros = weight.zeros();
        switch (weight.layout()) {
            case F8E4M3, I8 -> writer.add(layer + ".weight", weight.codes());
            case PACKED_8, PACKED_4 -> writer.add(layer + ".weight_packed", weight.codes());
            case GPTQ_4 -> {
                int[] order = new int[weight.inputs()];
                for (int i = 0; i < order.length; i++) {
                    order[i] = weight.group(i);
                }
                writer.add(layer + ".qweight", weight.codes()).add(layer + ".g_idx", Shape.of(order.length), order);
            }
            case AWQ_4 -> writer.add(layer + ".qweight", weight.codes());
        }
        if (zeros != null) {
            writer.add(layer + ".qzeros", zeros).add(layer + ".scales", weight.scales());
        } else {
            writer.add(layer + (isFp8 ? ".weight_scale_inv" : ".weight_scale"), weight.scales());
        }
    }
}
