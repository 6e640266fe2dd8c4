package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.model.spec.Defaults.Trait;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Reads the feed-forward part of each layer.
final class FeedForwards {
    private FeedForwards() {}

    /// In a family with experts (`num_experts`, in transformers 5 `num_local_experts`), the layers of `mlp_only_layers`
    /// have a plain MLP, and so have all but
    /// every `decoder_sparse_step`-th of the others.
    static List<FeedForwardSpec> read(ModelConfig config, int layers, Defaults defaults) {
        if (!defaults.has(Trait.EXPERTS)) {
            return Collections.nCopies(layers, new FeedForwardSpec.Gated(config.integer(defaults.intermediateKey())));
        }
        FeedForwardSpec experts = new FeedForwardSpec.Experts(
                config.integer(config.has("num_local_experts") ? "num_local_experts" : "num_experts"),
                config.integer("num_experts_per_tok"),
                config.integer("moe_intermediate_size"),
                config.bool("norm_topk_prob", false));
        int step = config.has("decoder_sparse_step") ? config.positive("decoder_sparse_step") : 1;
        List<Integer> plain = config.integers("mlp_only_layers");
        List<FeedForwardSpec> parts = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            boolean isPlain = plain.contains(i) || (i + 1) % step != 0;
            parts.add(isPlain ? new FeedForwardSpec.Gated(config.integer(defaults.intermediateKey())) : experts);
        }
        return parts;
    }
}
