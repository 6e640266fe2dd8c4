package io.shadowkv.model.spec;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Shape of a decoder. A [Family] reads it from `config.json`.
///
/// @param family name of the family, as `config.json`'s `model_type`
/// @param hiddenSize width of the residual stream
/// @param queryHeads query heads
/// @param kvHeads key-value heads; divides `queryHeads`
/// @param headDim elements of one head
/// @param vocabularySize rows of the embedding
/// @param normEpsilon epsilon of every RMS norm
/// @param scales factors of activations
/// @param tiedEmbeddings true if the output projection is the embedding
/// @param contextTokens longest sequence for which this engine computes what the checkpoint was
///     trained for
/// @param contextReason the key that limits `contextTokens`, with the reason, as it completes "the
///     model's context is n, "; empty if the checkpoint's positions are the limit
/// @param layerSpecs what each layer computes; at least one layer rotates
public record DecoderSpec(
        String family,
        int hiddenSize,
        int queryHeads,
        int kvHeads,
        int headDim,
        int vocabularySize,
        double normEpsilon,
        Scales scales,
        boolean tiedEmbeddings,
        int contextTokens,
        String contextReason,
        List<LayerSpec> layerSpecs) {
    public DecoderSpec {
        layerSpecs = List.copyOf(layerSpecs);
        positive("num_hidden_layers", layerSpecs.size());
        positive("hidden_size", hiddenSize);
        positive("num_attention_heads", queryHeads);
        positive("num_key_value_heads", kvHeads);
        positive("head_dim", headDim);
        positive("vocab_size", vocabularySize);
        positive("max_position_embeddings", contextTokens);
        if (queryHeads % kvHeads != 0) {
            throw new IllegalArgumentException("num_attention_heads is " + queryHeads + " and num_key_value_heads "
                    + kvHeads + "; expected a whole number of query heads per key-value head");
        }
        for (LayerSpec layer : layerSpecs) {
            checkRope(layer.rope(), headDim);
        }
        if (layerSpecs.stream().allMatch(layer -> layer.rope() == null)) {
            throw new IllegalArgumentException("no layer has rotary positions; expected one or more that do");
        }
        if ((long) queryHeads * headDim > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("num_attention_heads is " + queryHeads + " and head_dim " + headDim
                    + "; expected a product of at most " + Integer.MAX_VALUE);
        }
        if (!(normEpsilon >= 0 && Double.isFinite(normEpsilon))) {
            throw new IllegalArgumentException("rms_norm_eps is " + normEpsilon + "; expected 0 or more");
        }
    }

    /// Creates the shape of a decoder of equal layers with full attention and a gated MLP.
    public DecoderSpec(
            String family,
            int layers,
            int hiddenSize,
            int intermediateSize,
            int queryHeads,
            int kvHeads,
            int headDim,
            int vocabularySize,
            double normEpsilon,
            RopeSpec rope,
            boolean tiedEmbeddings,
            int contextTokens) {
        this(
                family,
                hiddenSize,
                queryHeads,
                kvHeads,
                headDim,
                vocabularySize,
                normEpsilon,
                Scales.of(headDim),
                tiedEmbeddings,
                contextTokens,
                "",
                Collections.nCopies(layers, LayerSpec.plain(rope, intermediateSize)));
    }

    /// Number of decoder layers.
    public int layers() {
        return layerSpecs.size();
    }

    public LayerSpec layer(int index) {
        return layerSpecs.get(index);
    }

    /// Text that messages append to the context length: the reason of the limit, or an empty string.
    public String contextNote() {
        return contextReason.isEmpty() ? "" : ", " + contextReason;
    }

    /// Rotary position encoding of the first layer that rotates. All layers that rotate have the same.
    public RopeSpec rope() {
        return layerSpecs.stream()
                .map(LayerSpec::rope)
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow();
    }

    /// The largest intermediate size of a layer.
    public int intermediateSize() {
        return layerSpecs.stream()
                .mapToInt(layer -> layer.feedForward().intermediateSize())
                .max()
                .orElseThrow();
    }

    /// The experts of the layers that have them, which are alike; null if no layer has any.
    public FeedForwardSpec.@Nullable Experts experts() {
        return layerSpecs.stream()
                .map(LayerSpec::feedForward)
                .filter(FeedForwardSpec.Experts.class::isInstance)
                .map(FeedForwardSpec.Experts.class::cast)
                .findFirst()
                .orElse(null);
    }

    /// Query heads that share a key-value head.
    public int groupSize() {
        return queryHeads / kvHeads;
    }

    public int queryWidth() {
        return queryHeads * headDim;
    }

    public int kvWidth() {
        return kvHeads * headDim;
    }

    /// The shape with the first `count` layers.
    public DecoderSpec withLayers(int count) {
        return with(layerSpecs.subList(0, count), tiedEmbeddings);
    }

    /// The same shape with or without tied embeddings.
    public DecoderSpec withTiedEmbeddings(boolean areTied) {
        return with(layerSpecs, areTied);
    }

    private DecoderSpec with(List<LayerSpec> layers, boolean areTied) {
        return new DecoderSpec(
                family,
                hiddenSize,
                queryHeads,
                kvHeads,
                headDim,
                vocabularySize,
                normEpsilon,
                scales,
                areTied,
                contextTokens,
                contextReason,
                layers);
    }

    private static void checkRope(@Nullable RopeSpec rope, int headDim) {
        if (rope != null && (rope.rotaryDim() < 2 || rope.rotaryDim() > headDim || rope.rotaryDim() % 2 != 0)) {
            throw new IllegalArgumentException("rotary dimension is " + rope.rotaryDim()
                    + "; expected an even number from 2 up to head_dim, " + headDim);
        }
    }

    static void positive(String key, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(key + " is " + value + "; expected 1 or more");
        }
    }
}
