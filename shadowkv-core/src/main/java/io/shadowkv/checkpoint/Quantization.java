package io.shadowkv.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/// Finds out from its configurations how a checkpoint is quantised, before any weight is read.
/// Stateless.
final class Quantization {
    /// Keys of `config.json`: those of transformers, of older releases of compressed-tensors, and
    /// of MLX.
    private static final List<String> KEYS = List.of("quantization_config", "compression_config", "quantization");

    /// Separate files, each with the method to assume if the file does not name one: those of
    /// AutoGPTQ, AutoAWQ and ModelOpt.
    private static final Map<String, String> FILES =
            Map.of("quantize_config.json", "gptq", "quant_config.json", "awq", "hf_quant_config.json", "modelopt");

    private static final List<String> METHOD_KEYS = List.of("quant_method", "quant_algo");
    private static final List<String> SIZE_KEYS = List.of("bits", "w_bit", "group_size", "q_group_size", "format");

    private Quantization() {}

    /// The format of the weights; empty if no configuration says that they are quantised.
    ///
    /// @param config `folder`'s `config.json`
    /// @throws CheckpointException if one of the configurations says that the weights are quantised in
    ///     a format that this engine does not read
    static Optional<QuantizedFormat> read(Path folder, ModelConfig config) {
        for (String key : KEYS) {
            Optional<ModelConfig> found = config.object(key);
            if (found.isPresent() && says(found.get())) {
                return Optional.of(format(
                        config.source() + ": \"" + key + "\"", found.get(), "", "a method that it does not name"));
            }
        }
        for (Map.Entry<String, String> known : FILES.entrySet()) {
            Path file = folder.resolve(known.getKey());
            if (Files.isRegularFile(file)) {
                ModelConfig found = ModelConfig.read(file);
                return Optional.of(format(
                        known.getKey(),
                        found.object("quantization").orElse(found),
                        known.getValue(),
                        known.getValue()));
            }
        }
        return Optional.empty();
    }

    /// @param assumed the method if none is named
    /// @param otherwise the method to report if none is named
    private static QuantizedFormat format(String where, ModelConfig found, String assumed, String otherwise) {
        String method = method(found);
        return QuantizationReader.read(method.isEmpty() ? assumed : method, found)
                .orElseThrow(() -> refusal(where, found, otherwise));
    }

    /// An empty object means nothing. The configuration of bitsandbytes remains in a saved model
    /// after its two switches were turned off.
    private static boolean says(ModelConfig found) {
        boolean isOff = !isOn(found, "load_in_4bit") && !isOn(found, "load_in_8bit");
        return !found.keys().isEmpty() && !(isOff && method(found).equals("bitsandbytes") && hasSwitch(found));
    }

    private static boolean hasSwitch(ModelConfig found) {
        return found.has("load_in_4bit") || found.has("load_in_8bit");
    }

    private static boolean isOn(ModelConfig found, String key) {
        return found.bool(key, false);
    }

    private static String method(ModelConfig found) {
        for (String key : METHOD_KEYS) {
            if (found.has(key)) {
                return found.text(key);
            }
        }
        return hasSwitch(found) ? "bitsandbytes" : "";
    }

    /// @param otherwise the method to report if none is named
    private static CheckpointException refusal(String where, ModelConfig found, String otherwise) {
        var sizes = new StringJoiner(", ", " (", ")");
        sizes.setEmptyValue("");
        SIZE_KEYS.stream().filter(found::has).forEach(key -> sizes.add(key + " " + found.text(key)));
        String method = method(found);
        String with = method.isEmpty() ? otherwise : method;
        return new CheckpointException(where + " says that the weights are quantised with " + with + sizes
                + "; this engine reads BF16, F16 and F32 weights, " + QuantizationReader.KNOWN
                + ". Take the unquantised checkpoint of the model, which the model's card usually names as its base model");
    }
}
