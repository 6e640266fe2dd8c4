package io.shadowkv.model.spec;

/// The feed-forward part of a layer.
public sealed interface FeedForwardSpec {
    /// Width of the activations between the two products of one matrix: of the MLP, or of one expert.
    int intermediateSize();

    /// Elements of all matrices.
    long elements(int hiddenSize);

    /// Elements of the matrices that one token reads.
    long elementsRead(int hiddenSize);

    /// Number of MLPs that a number of tokens is expected to read together: 1, or experts if each token
    /// chose its experts at random.
    double mlpsRead(int tokens);

    /// What `inspect` says of it.
    String describe();

    /// `down(silu(gate(x)) * up(x))`.
    record Gated(int intermediateSize) implements FeedForwardSpec {
        public Gated {
            DecoderSpec.positive("intermediate_size", intermediateSize);
        }

        @Override
        public long elements(int hiddenSize) {
            return 3L * hiddenSize * intermediateSize;
        }

        @Override
        public long elementsRead(int hiddenSize) {
            return elements(hiddenSize);
        }

        @Override
        public double mlpsRead(int tokens) {
            return 1;
        }

        @Override
        public String describe() {
            return "gated MLP of %,d".formatted(intermediateSize);
        }
    }

    /// A mixture of experts, each a gated MLP: a router chooses some for each token and weighs their
    /// outputs.
    ///
    /// @param count number of experts
    /// @param perToken experts of one token
    /// @param intermediateSize width of one expert
    /// @param isNormalised true if the weights of a token's experts are divided by their sum
    record Experts(int count, int perToken, int intermediateSize, boolean isNormalised) implements FeedForwardSpec {
        /// The largest number of experts that backends choose from.
        static final int MOST_EXPERTS = 1024;

        public Experts {
            DecoderSpec.positive("num_experts", count);
            DecoderSpec.positive("num_experts_per_tok", perToken);
            DecoderSpec.positive("moe_intermediate_size", intermediateSize);
            if (count > MOST_EXPERTS || perToken > count) {
                throw new IllegalArgumentException("num_experts is " + count + " and num_experts_per_tok " + perToken
                        + "; expected at most " + MOST_EXPERTS + " experts, and no more per token than there are");
            }
        }

        @Override
        public long elements(int hiddenSize) {
            return (3L * intermediateSize + 1) * hiddenSize * count;
        }

        @Override
        public long elementsRead(int hiddenSize) {
            return (3L * intermediateSize * perToken + count) * hiddenSize;
        }

        /// An expert is left out by a token with a probability of `1 - perToken / count`.
        @Override
        public double mlpsRead(int tokens) {
            return count * (1 - Math.pow(1 - (double) perToken / count, tokens));
        }

        @Override
        public String describe() {
            return "%d experts of %,d, %d per token".formatted(count, intermediateSize, perToken);
        }
    }
}
