package io.shadowkv.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names that tensors of a GGUF file have in the same model's safetensors checkpoint, so that
/// the families need one table of names. Stateless.
final class GgufNames {
    /// The divisors of the rotary frequencies, which belong to the configuration.
    static final String ROPE_FREQS = "rope_freqs.weight";

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
            ROPE_FREQS);

    private static final Map<String, String> INSIDE = inside();

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
        return Map.copyOf(names);
    }

    /// The name in a safetensors checkpoint; empty for a tensor that the engine does not know.
    static Optional<String> of(String name) {
        Matcher layer = IN_LAYER.matcher(name);
        if (!layer.matches()) {
            return Optional.ofNullable(OUTSIDE.get(name));
        }
        return Optional.ofNullable(INSIDE.get(layer.group(2)))
                .map(known -> "model.layers." + layer.group(1) + "." + known + "." + layer.group(3));
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
            for (Map.Entry<String, String> known : INSIDE.entrySet()) {
                if (known.getValue().equals(layer.group(2))) {
                    return "blk." + layer.group(1) + "." + known.getKey() + "." + layer.group(3);
                }
            }
        }
        return name;
    }
}
