package io.shadowkv.checkpoint;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationTest {
    @TempDir
    Path folder;

    private void plainModel() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        new SafetensorsWriter().add("w", Shape.of(1), new float[] {1}).write(folder.resolve("model.safetensors"));
    }

    private void refused(String... parts) {
        assertThatThrownBy(() -> Checkpoint.open(folder).close())
                .isInstanceOf(CheckpointException.class)
                .message()
                .contains(parts);
    }

    /// Whatever the method, what is said comes before any word of tensors.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            config.json | {"quantization_config": {"quant_method": "awq", "bits": 8, "group_size": 128}} | awq (bits 8, group_size 128)
            config.json | {"quantization_config": {"quant_method": "gptq", "bits": 3}}       | gptq (bits 3)
            config.json | {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128]}} | fp8;
            config.json | {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized"}} | compressed-tensors (format pack-quantized)
            config.json | {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}} | bitsandbytes
            config.json | {"quantization_config": {"load_in_8bit": true}}                    | bitsandbytes
            config.json | {"quantization_config": {"quant_method": "of-tomorrow"}}           | of-tomorrow
            config.json | {"quantization_config": {"bits": 4}}                               | a method that it does not name (bits 4)
            config.json | {"compression_config": {"quant_method": "sparseml"}}               | "compression_config" says that the weights are quantised with sparseml
            config.json | {"quantization": {"group_size": 64, "bits": 4}}                    | a method that it does not name (bits 4, group_size 64)
            quantize_config.json  | {"bits": 2, "group_size": 128, "desc_act": false}        | gptq (bits 2, group_size 128)
            quant_config.json     | {"w_bit": 4, "q_group_size": 128, "version": "GEMV"}     | awq (w_bit 4, q_group_size 128)
            hf_quant_config.json  | {"producer": {}, "quantization": {"quant_algo": "NVFP4"}} | NVFP4
            """)
    void quantisedWeightsAreRefusedByName(String file, String content, String method) throws IOException {
        plainModel();
        Files.writeString(folder.resolve(file), content);
        refused(file, method, "this engine reads BF16, F16 and F32", "Take the unquantised checkpoint");
    }

    /// Plain weights under a quantised configuration, and scales that nobody would apply.
    @Test
    void aConfigurationThatDoesNotFitTheWeightsIsRefused() throws IOException {
        plainModel();
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4, \"group_size\": 128}}");
        refused("quantised with AWQ, but no tensor is, such as [w]", "from the same place");
        Files.writeString(
                folder.resolve("config.json"),
                "{\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4, \"group_size\": 8}}");
        new SafetensorsWriter()
                .add("a.qweight", Shape.of(1, 8), new int[8])
                .add("b.weight", Shape.of(8, 8), new float[64])
                .add("b.scales", Shape.of(1, 8), new float[8])
                .write(folder.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThatThrownBy(() -> checkpoint.weight("b.weight", 8, 8))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("b.weight")
                    .hasMessageContaining("b.scales")
                    .hasMessageContaining("expected codes, or no scales");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"quantization_config\": null}",
                "{\"quantization_config\": {}}",
                "{\"quantization_config\": {\"quant_method\": \"bitsandbytes\", \"load_in_4bit\": false}}"
            })
    void aConfigurationThatQuantisesNothingIsNone(String content) throws IOException {
        plainModel();
        Files.writeString(folder.resolve("config.json"), content);
        Checkpoint.open(folder).close();
    }

    @Test
    void packedWeightsAreToldWhereNoConfigurationNamesThem() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        new SafetensorsWriter()
                .add("a.qweight", Shape.of(1), new int[] {1})
                .add("b.weight", Shape.of(1), new int[] {1})
                .write(folder.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            for (String name : new String[] {"a.weight", "b.weight"}) {
                assertThatThrownBy(() -> checkpoint.tensor(name, 1))
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContaining("quantised")
                        .hasMessageContaining("take the unquantised checkpoint");
            }
        }
    }
}
