package io.shadowkv.checkpoint;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names that tensors of a GGUF file have in the same model's safetensors checkpoint, so that
/// the families need one table of names. Stateless.
final class GgufNames {
    /// The divisors of the rotary frequencies, which belong to the configuration.
    static final String ROPE_FREQS = "rope_freqs.weight";

    /// The factors of the two sets of frequencies of longrope, which belong to the configuration, too.
    static final String SHORT_FACTORS = "rope_factors_short.weight";

    static final String LONG_FACTORS = "rope_factors_long.weight";

    /// Tensors that belong to the configuration.
    static final Set<String> CONFIGURATION = Set.of(ROPE_FREQS, SHORT_FACTORS, LONG_FACTORS);

    /// Stands for the number of an expert in the name of a stack of matrices, one for each expert.
    private static final String EXPERT = "*";

    private static final Pattern IN_LAYER = Pattern.compile("blk\\.(\\d{1,9})\\.(.+)\\.(weight|bias)");

    private static final Pattern IN_CHECKPOINT = Pattern.compile("model\\.layers\\.(\\d{1,9})\\.(.+)\\.(weight|bias)");

    private static final Map<String, String> OUTSIDE = Map.of(
            "token_embd.weight",
            "model.embed_tokens.weight",
            "output_norm.weight",
            "model.norm.weight",
            "output.weight",
            "lm_head.weight",
            ROPE_FREQS,
            ROPE_FREQS,
            SHORT_FACTORS,
            SHORT_FACTORS,
            LONG_FACTORS,
            LONG_FACTORS);

    private static final Map<String, String> INSIDE = inside();

    /// What differs where matrices are fused.
    private static final Map<String, String> FUSED =
            Map.of("attn_qkv", "self_attn.qkv_proj", "ffn_up", "mlp.gate_up_proj");

    private GgufNames() {}

    private static Map<String, String> inside() {
        Map<String, String> names = new HashMap<>();
        names.put("attn_norm", "input_layernorm");
        names.put("ffn_norm", "post_attention_layernorm");
        names.put("attn_q", "self_attn.q_proj");
        names.put("attn_k", "self_attn.k_proj");
        names.put("attn_v", "self_attn.v_proj");
        names.put("attn_output", "self_attn.o_proj");
        names.put("attn_q_norm", "self_attn.q_norm");
        names.put("attn_k_norm", "self_attn.k_norm");
        names.put("ffn_gate", "mlp.gate_proj");
        names.put("ffn_up", "mlp.up_proj");
        names.put("ffn_down", "mlp.down_proj");
        names.put("ffn_gate_inp", "mlp.gate");
        names.put("ffn_gate_exps", "mlp.experts.*.gate_proj");
        names.put("ffn_up_exps", "mlp.experts.*.up_proj");
        names.put("ffn_down_exps", "mlp.experts.*.down_proj");
        return Map.copyOf(names);
    }

    /// The name in a safetensors checkpoint; empty for a tensor that the engine does not know.
    ///
    /// @param isFused true if one matrix holds queries, keys and values, and one gate and up, as in Phi-3
    static Optional<String> of(String name, boolean isFused) {
        Matcher layer = IN_LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(OUTSIDE.get(name));
        }
        Map<String, String> inside = isFused && FUSED.containsKey(layer.group(2)) ? FUSED : INSIDE;
        return Optional.ofNullable(inside.get(layer.group(2)))
                .map(known -> "model.layers." + layer.group(1) + "." + known + "." + layer.group(3));
    }

    /// True if the tensor is a stack of matrices, one for each expert.
    static boolean isStack(String name) {
        return name.contains(EXPERT);
    }

    /// The name of one expert's matrix of a stack.
    static String expert(String stack, int expert) {
        return stack.replace(EXPERT, Integer.toString(expert));
    }

    /// The name that a GGUF file has for a tensor of a safetensors checkpoint, or `name` itself.
    static String inFile(String name) {
        for (Map.Entry<String, String> known : OUTSIDE.entrySet()) {
            if (known.getValue().equals(name)) {
                return known.getKey();
            }
        }
        Matcher layer = IN_CHECKPOINT.matcher(name);
        if (layer.matches()) {
            String inside = layer.group(2).replaceFirst("\\.experts\\.\\d+\\.", ".experts.*.");
            for (Map<String, String> names : List.of(INSIDE, FUSED)) {
                for (Map.Entry<String, String> known : names.entrySet()) {
                    if (known.getValue().equals(inside)) {
                        return "blk." + layer.group(1) + "." + known.getKey() + "." + layer.group(3);
                    }
                }
            }
        }
        return name;
    }
}
