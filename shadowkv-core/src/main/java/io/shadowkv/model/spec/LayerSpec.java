package io.shadowkv.model.spec;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one decoder layer computes. Everything that differs between layers of a model or between
/// families is here; [DecoderSpec] has what all layers share.
///
/// @param rope rotary position encoding, or null if the layer's queries and keys do not rotate
/// @param slidingWindow tokens that a query attends to, its own included, as the checkpoint states
///     it; 0 for full attention
/// @param queryKeyNorm true if each head of queries and keys passes an RMS norm before it rotates
/// @param outputNorms true if the outputs of attention and of the feed-forward part pass an RMS norm
///     before they are added to the residual stream
/// @param feedForward the part after attention
public record LayerSpec(
        @Nullable RopeSpec rope,
        int slidingWindow,
        boolean queryKeyNorm,
        boolean outputNorms,
        FeedForwardSpec feedForward) {
    public LayerSpec {
        if (slidingWindow < 0) {
            throw new IllegalArgumentException("sliding_window is " + slidingWindow + "; expected 0 or more");
        }
    }

    /// A layer with full attention, rotation, and a gated MLP.
    static LayerSpec plain(RopeSpec rope, int intermediateSize) {
        return new LayerSpec(rope, 0, false, false, new FeedForwardSpec.Gated(intermediateSize));
    }

    /// What `inspect` says of the layer.
    public String describe() {
        List<String> parts = new ArrayList<>();
        parts.add(slidingWindow == 0 ? "full attention" : "sliding window of %,d".formatted(slidingWindow));
        parts.add(rope == null ? "no rotation" : "rotary");
        if (queryKeyNorm) {
            parts.add("query and key norms");
        }
        if (outputNorms) {
            parts.add("output norms");
        }
        parts.add(feedForward.describe());
        return String.join(", ", parts);
    }
}
