package io.shadowkv.model.spec;

import org.jspecify.annotations.Nullable;

/// Numbers that a decoder multiplies activations by.
///
/// @param embedding factor of the embedded tokens
/// @param attention factor of the dot products of queries and keys
/// @param residual factor of what a layer adds to the residual stream
/// @param logits divisor of the logits
/// @param queries factor of queries that depends on their position, or null
public record Scales(
        double embedding,
        double attention,
        double residual,
        double logits,
        @Nullable QueryScale queries) {
    public Scales {
        requirePositive("embedding_multiplier", embedding);
        requirePositive("attention_multiplier", attention);
        requirePositive("residual_multiplier", residual);
        requirePositive("logits_scaling", logits);
    }

    /// Dot products are divided by √headDim, and nothing else is scaled.
    public static Scales of(int headDim) {
        return new Scales(1, 1 / Math.sqrt(headDim), 1, 1, null);
    }

    /// The same numbers and a factor of queries.
    Scales withQueries(QueryScale scale) {
        return new Scales(embedding, attention, residual, logits, scale);
    }

    /// `1 + beta · ln(1 + ⌊position / originalContext⌋)`: queries beyond the context of the first
    /// training attend more sharply (Llama 4, Ministral 3).
    ///
    /// @param originalContext positions whose factor is 1
    public record QueryScale(double beta, int originalContext) {
        public QueryScale {
            if (!(beta >= 0 && Double.isFinite(beta))) {
                throw new IllegalArgumentException("llama_4_scaling_beta is " + beta + "; expected 0 or more");
            }
            DecoderSpec.positive("original_max_position_embeddings", originalContext);
        }

        public double factor(int position) {
            int contexts = position / originalContext;
            return 1 + beta * Math.log1p(contexts);
        }
    }

    private static void requirePositive(String key, double value) {
        if (!(value > 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException(key + " is " + value + "; expected a number above 0");
        }
    }
}
