package io.shadowkv.model.spec;

import java.util.EnumSet;
import java.util.Set;

/// What a family computes beyond its `config.json`: its code in transformers and the defaults of its
/// configuration class there.
///
/// @param window which layers attend to a window
/// @param windowTokens the window where the file has no `sliding_window`, not even null; 0 for none
/// @param theta base of the rotary frequencies where the file states none
/// @param originalContext context before scaling where the file states none; 0 takes its positions
/// @param intermediateKey key of the width of the MLP
/// @param traits everything else
record Defaults(
        WindowRule window,
        int windowTokens,
        double theta,
        int originalContext,
        String intermediateKey,
        Set<Trait> traits) {
    /// Full attention, all of each head rotates, and nothing else.
    static final Defaults PLAIN =
            new Defaults(WindowRule.LAYER_TYPES, 0, 10_000, 0, "intermediate_size", EnumSet.noneOf(Trait.class));

    /// Which layers of a family use a sliding window if `config.json` has `sliding_window`.
    enum WindowRule {
        /// The layers that `layer_types` calls `sliding_attention`.
        LAYER_TYPES,
        /// None unless `use_sliding_window` is true; then the layers that `layer_types` names, or
        /// the layers from `max_window_layers` on.
        SWITCHED,
        /// None unless `use_sliding_window` is true; then all.
        SWITCHED_EVERY_LAYER,
        /// None unless `use_sliding_window` is true; then the layers that `layer_types` names, or
        /// the layers that do not rotate.
        SWITCHED_UNROTATED,
        /// All.
        EVERY_LAYER
    }

    /// What makes a family different.
    enum Trait {
        /// Neighbouring elements form rotary pairs; half of each head rotates unless the file says
        /// otherwise.
        INTERLEAVED,
        /// Queries and keys pass a norm of each head before they rotate.
        QUERY_KEY_NORM,
        /// The outputs of attention and of the MLP pass a norm.
        OUTPUT_NORMS,
        /// Embeddings are tied unless the file says otherwise.
        TIED,
        /// The four multipliers of Granite.
        MULTIPLIERS,
        /// `llama_4_scaling_beta`: a factor of queries that grows with their position.
        QUERY_SCALE,
        /// Some layers do not rotate.
        UNROTATED_LAYERS,
        /// Layers have a mixture of experts unless the file says otherwise.
        EXPERTS
    }

    boolean has(Trait trait) {
        return traits.contains(trait);
    }

    Defaults with(Trait... more) {
        Set<Trait> all = EnumSet.noneOf(Trait.class);
        all.addAll(traits);
        all.addAll(Set.of(more));
        return new Defaults(window, windowTokens, theta, originalContext, intermediateKey, all);
    }

    Defaults withWindow(WindowRule rule, int tokens) {
        return new Defaults(rule, tokens, theta, originalContext, intermediateKey, traits);
    }

    Defaults withTheta(double base) {
        return new Defaults(window, windowTokens, base, originalContext, intermediateKey, traits);
    }

    Defaults withOriginalContext(int tokens) {
        return new Defaults(window, windowTokens, theta, tokens, intermediateKey, traits);
    }

    Defaults withIntermediateKey(String key) {
        return new Defaults(window, windowTokens, theta, originalContext, key, traits);
    }
}
