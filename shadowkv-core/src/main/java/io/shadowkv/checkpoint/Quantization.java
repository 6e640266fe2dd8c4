package io.shadowkv.checkpoint;

import io.shadowkv.tensor.CodeLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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
    /// AutoGPTQ, AutoAWQ and ModelOpt. The first that exists is read.
    private static final List<Map.Entry<String, String>> FILES = List.of(
            Map.entry("quantize_config.json", "gptq"),
            Map.entry("quant_config.json", "awq"),
            Map.entry("hf_quant_config.json", "modelopt"));

    private static final List<String> METHOD_KEYS = List.of("quant_method", "quant_algo");
    private static final List<String> SIZE_KEYS = List.of("bits", "w_bit", "group_size", "q_group_size", "format");

    /// What is read, for messages.
    private static final String KNOWN =
            "FP8 in blocks, compressed-tensors of 8 and 4 bits without zero points, and GPTQ" + " and AWQ of 4 bits";

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
        for (Map.Entry<String, String> known : FILES) {
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
        return known(method.isEmpty() ? assumed : method, found).orElseThrow(() -> refusal(where, found, otherwise));
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
                + "; this engine reads BF16, F16 and F32 weights, " + KNOWN
                + ". Take the unquantised checkpoint of the model, which the model's card usually names as its"
                + " base model");
    }

    /// The format that `found` describes; empty if it is not one of those that this engine reads.
    ///
    /// @throws CheckpointException if a value is malformed
    private static Optional<QuantizedFormat> known(String method, ModelConfig found) {
        return switch (method.toLowerCase(Locale.ROOT)) {
            case "fp8" -> blocks(found);
            case "compressed-tensors" -> compressed(found);
            case "gptq" -> gptq(found);
            case "awq" -> awq(found);
            default -> Optional.empty();
        };
    }

    private static Optional<QuantizedFormat> blocks(ModelConfig found) {
        List<Integer> size = found.integers("weight_block_size");
        if (size.size() != 2 || size.stream().anyMatch(extent -> extent < 1)) {
            return Optional.empty();
        }
        return Optional.of(new QuantizedFormat("fp8", CodeLayout.F8E4M3, size.get(0), size.get(1), false, true));
    }

    private static Optional<QuantizedFormat> compressed(ModelConfig found) {
        Optional<ModelConfig> groups = found.object("config_groups");
        if (groups.isEmpty() || groups.get().keys().size() != 1) {
            return Optional.empty();
        }
        ModelConfig group =
                groups.get().object(groups.get().keys().iterator().next()).orElseThrow();
        Optional<ModelConfig> weights = group.object("weights");
        if (weights.isEmpty()
                || !weights.get().bool("symmetric", true)
                || weights.get().has("actorder")) {
            return Optional.empty();
        }
        int bits = weights.get().integer("num_bits", 0);
        Optional<CodeLayout> layout = switch (found.text("format")) {
            case "float-quantized" -> bits == 8 ? Optional.of(CodeLayout.F8E4M3) : Optional.empty();
            case "int-quantized" -> bits == 8 ? Optional.of(CodeLayout.I8) : Optional.empty();
            case "pack-quantized" ->
                bits == 8
                        ? Optional.of(CodeLayout.PACKED_8)
                        : bits == 4 ? Optional.of(CodeLayout.PACKED_4) : Optional.empty();
            default -> Optional.empty();
        };
        return layout.flatMap(known -> groups(weights.get(), known, group.has("input_activations")));
    }

    /// Rows and columns that share a scale.
    private static Optional<QuantizedFormat> groups(ModelConfig weights, CodeLayout layout, boolean activations) {
        String method = "compressed-tensors";
        return switch (weights.text("strategy")) {
            case "tensor" -> Optional.of(new QuantizedFormat(method, layout, 0, 0, false, activations));
            case "channel" -> Optional.of(new QuantizedFormat(method, layout, 1, 0, false, activations));
            case "group" ->
                Optional.of(new QuantizedFormat(method, layout, 1, weights.positive("group_size"), false, activations));
            case "block" -> {
                List<Integer> size = weights.integers("block_structure");
                yield size.size() != 2 || size.stream().anyMatch(extent -> extent < 1)
                        ? Optional.empty()
                        : Optional.of(
                                new QuantizedFormat(method, layout, size.get(0), size.get(1), false, activations));
            }
            default -> Optional.empty();
        };
    }

    private static Optional<QuantizedFormat> gptq(ModelConfig found) {
        if (found.integer("bits", 0) != 4 || found.text("checkpoint_format").equals("gptq_v2")) {
            return Optional.empty();
        }
        return grouped("GPTQ", CodeLayout.GPTQ_4, found.integer("group_size", -1), found.bool("desc_act", false));
    }

    private static Optional<QuantizedFormat> awq(ModelConfig found) {
        boolean isGemm = !found.has("version") || found.text("version").equalsIgnoreCase("gemm");
        if (found.integer("bits", found.integer("w_bit", 0)) != 4 || !isGemm) {
            return Optional.empty();
        }
        return grouped("AWQ", CodeLayout.AWQ_4, found.integer("group_size", found.integer("q_group_size", -1)), false);
    }

    /// @param size columns of a group; -1 for all
    private static Optional<QuantizedFormat> grouped(String method, CodeLayout layout, int size, boolean isOrdered) {
        return size == -1 || size > 0
                ? Optional.of(new QuantizedFormat(method, layout, 1, Math.max(0, size), isOrdered, false))
                : Optional.empty();
    }
}
