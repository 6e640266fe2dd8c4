package io.shadowkv.model.spec;

/// The feed-forward part of a layer.
public sealed interface FeedForwardSpec {
    /// Width of the activations between the two products of one matrix: of the MLP, or of one expert.
    int intermediateSize();

    /// Elements of all matrices.
    long elements(int hiddenSize);

    /// Elements of the matrices that one token reads.
    long elementsRead(int hiddenSize);

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
        public String describe() {
            return "gated MLP of %,d".formatted(intermediateSize);
        }
    }
}
