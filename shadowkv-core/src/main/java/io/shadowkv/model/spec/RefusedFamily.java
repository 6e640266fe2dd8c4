package io.shadowkv.model.spec;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Architectures that this engine does not compute, with the reason. Their names are known so that a
/// message can say more than that the name is not.
enum RefusedFamily {
    LATENT_ATTENTION(
            "its multi-head latent attention stores one compressed vector per token in place of the keys and values"
                    + " of heads, and ShadowKV is defined on the latter",
            "deepseek_v2",
            "deepseek_v3",
            "deepseek_v32",
            "deepseek_v4",
            "deepseek_vl_v2",
            "kimi_k2",
            "kimi_k25",
            "longcat_flash",
            "minicpm3",
            "glm4_moe_lite",
            "glm_moe_dsa"),
    HYBRID(
            "most of its layers are recurrent or linear attention, which keep a state in place of keys and values",
            "qwen3_next",
            "qwen3_5",
            "qwen3_5_text",
            "qwen3_5_moe",
            "qwen3_5_moe_text",
            "kimi_linear",
            "minimax",
            "minimax_m1",
            "mamba",
            "mamba2",
            "falcon_mamba",
            "falcon_h1",
            "jamba",
            "bamba",
            "zamba",
            "zamba2",
            "nemotron_h",
            "recurrent_gemma",
            "rwkv",
            "lfm2",
            "lfm2_moe",
            "olmo_hybrid"),
    MIXED_WINDOWS(
            "its layers alternate between sliding windows and full attention, with norms, activations or sink logits"
                    + " that this engine does not compute",
            "gemma2",
            "gemma3",
            "gemma3_text",
            "gemma3n",
            "gemma3n_text",
            "gemma4",
            "gemma4_text",
            "gpt_oss",
            "cohere2",
            "exaone4",
            "olmo3",
            "llama4",
            "llama4_text"),
    EXPERTS(
            "its mixture of experts differs from Qwen3's",
            "mixtral",
            "qwen2_moe",
            "granitemoe",
            "granitemoeshared",
            "glm4_moe",
            "olmoe",
            "phimoe",
            "ernie4_5_moe",
            "minimax_m2",
            "dbrx");

    private final String reason;
    private final List<String> names;

    RefusedFamily(String reason, String... names) {
        this.reason = reason;
        this.names = List.of(names);
    }

    /// Why `modelType` is refused, as it completes "model_type is x: "; null if it is not known here.
    static @Nullable String reason(String modelType) {
        for (RefusedFamily family : values()) {
            if (family.names.contains(modelType)) {
                return family.reason;
            }
        }
        return null;
    }
}
