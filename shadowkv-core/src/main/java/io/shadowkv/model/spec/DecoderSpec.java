package io.shadowkv.model.spec;

/// Shape of a decoder. A [Family] reads it from `config.json`.
///
/// @param family name of the family, as `config.json`'s `model_type`
/// @param layers decoder layers
/// @param hiddenSize width of the residual stream
/// @param intermediateSize width of the gated MLP
/// @param queryHeads query heads
/// @param kvHeads key-value heads; divides `queryHeads`
/// @param headDim elements of one head
/// @param vocabularySize rows of the embedding
/// @param normEpsilon epsilon of every RMS norm
/// @param rope rotary position encoding
/// @param tiedEmbeddings true if the output projection is the embedding
/// @param contextTokens longest sequence for which this engine computes what the checkpoint was
///     trained for
/// @param slidingWindow sliding window of some layer in tokens, if the window limits
///     `contextTokens`: this engine attends to all tokens, which is equivalent up to that length. 0
///     if no window limits the context
public record DecoderSpec(
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
        int contextTokens,
        int slidingWindow) {
    public DecoderSpec {
        positive("num_hidden_layers", layers);
        positive("hidden_size", hiddenSize);
        positive("intermediate_size", intermediateSize);
        positive("num_attention_heads", queryHeads);
        positive("num_key_value_heads", kvHeads);
        positive("head_dim", headDim);
        positive("vocab_size", vocabularySize);
        positive("max_position_embeddings", contextTokens);
        if (queryHeads % kvHeads != 0) {
            throw new IllegalArgumentException("num_attention_heads is " + queryHeads + " and num_key_value_heads "
                    + kvHeads + "; expected a whole number of query heads per key-value head");
        }
        if (rope.rotaryDim() < 2 || rope.rotaryDim() > headDim || rope.rotaryDim() % 2 != 0) {
            throw new IllegalArgumentException("rotary dimension is " + rope.rotaryDim()
                    + "; expected an even number from 2 up to head_dim, " + headDim);
        }
        if ((long) queryHeads * headDim > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("num_attention_heads is " + queryHeads + " and head_dim " + headDim
                    + "; expected a product of at most " + Integer.MAX_VALUE);
        }
        if (!(normEpsilon >= 0 && Double.isFinite(normEpsilon))) {
            throw new IllegalArgumentException("rms_norm_eps is " + normEpsilon + "; expected 0 or more");
        }
    }

    /// Creates the shape of a decoder whose context is not limited by a sliding window.
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
                layers,
                hiddenSize,
                intermediateSize,
                queryHeads,
                kvHeads,
                headDim,
                vocabularySize,
                normEpsilon,
                rope,
                tiedEmbeddings,
                contextTokens,
                0);
    }

    /// Text that messages append to the context length: the limiting key, or an empty string.
    public String contextNote() {
        return slidingWindow == 0 ? "" : ", its sliding_window";
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

    /// The same shape with `count` layers.
    public DecoderSpec withLayers(int count) {
        return with(count, tiedEmbeddings);
    }

    /// The same shape with or without tied embeddings.
    public DecoderSpec withTiedEmbeddings(boolean areTied) {
        return with(layers, areTied);
    }

    private DecoderSpec with(int layerCount, boolean areTied) {
        return new DecoderSpec(
                family,
                layerCount,
                hiddenSize,
                intermediateSize,
                queryHeads,
                kvHeads,
                headDim,
                vocabularySize,
                normEpsilon,
                rope,
                areTied,
                contextTokens,
                slidingWindow);
    }

    private static void positive(String key, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(key + " is " + value + "; expected 1 or more");
        }
    }
}
