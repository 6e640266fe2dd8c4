package io.shadowkv.checkpoint;

import io.shadowkv.tensor.CodeLayout;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads the configurations of the methods whose weights this engine reads as they are. Stateless.
final class QuantizationReader {
    /// What is read, for messages.
    static final String KNOWN = "FP8 in blocks, compressed-tensors of 8 and 4 bits without zero points, and GPTQ and AWQ"
            + " of 4 bits";

    private QuantizationReader() {}

    /// The format that `found` describes; empty if it is not one of those that this engine reads.
    ///
    /// @throws CheckpointException if a value is malformed
    static Optional<QuantizedFormat> read(String method, ModelConfig found) {
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
        return Optional.of(new QuantizedFormat("fp8", CodeLayout.F8E4M3, size.get(0), size.get(1), true));
    }

    private static Optional<QuantizedFormat> compressed(ModelConfig found) {
        Optional<ModelConfig> groups = found.object("config_groups");
        if (groups.isEmpty() || groups.get().keys().size() != 1) {
            return Optional.empty();
        }
        ModelConfig group =
                groups.get().object(groups.get().keys().iterator().next()).orElseThrow();
        Optional<ModelConfig> weights = group.object("weights");
        if (weights.isEmpty() || !weights.get().bool("symmetric", true) || weights.get().has("actorder")) {
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
            case "tensor" -> Optional.of(new QuantizedFormat(method, layout, 0, 0, activations));
            case "channel" -> Optional.of(new QuantizedFormat(method, layout, 1, 0, activations));
            case "group" ->
                Optional.of(new QuantizedFormat(method, layout, 1, weights.positive("group_size"), activations));
            case "block" -> {
                List<Integer> size = weights.integers("block_structure");
                yield size.size() != 2 || size.stream().anyMatch(extent -> extent < 1)
                        ? Optional.empty()
                        : Optional.of(new QuantizedFormat(method, layout, size.get(0), size.get(1), activations));
            }
            default -> Optional.empty();
        };
    }

    private static Optional<QuantizedFormat> gptq(ModelConfig found) {
        if (found.integer("bits", 0) != 4 || found.text("checkpoint_format").equals("gptq_v2")) {
            return Optional.empty();
        }
        return grouped("GPTQ", CodeLayout.GPTQ_4, found.integer("group_size", -1));
    }

    private static Optional<QuantizedFormat> awq(ModelConfig found) {
        boolean isGemm = !found.has("version") || found.text("version").equalsIgnoreCase("gemm");
        if (found.integer("bits", found.integer("w_bit", 0)) != 4 || !isGemm) {
            return Optional.empty();
        }
        return grouped("AWQ", CodeLayout.AWQ_4, found.integer("group_size", found.integer("q_group_size", -1)));
    }

    /// @param size columns of a group; -1 for all
    private static Optional<QuantizedFormat> grouped(String method, CodeLayout layout, int size) {
        return size == -1 || size > 0
                ? Optional.of(new QuantizedFormat(method, layout, 1, Math.max(0, size), false))
                : Optional.empty();
    }
}
