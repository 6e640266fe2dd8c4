package io.shadowkv;

import io.shadowkv.checkpoint.ModelConfig;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.Family;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.WeightNames;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// A small checkpoint of random weights, of any family and shape: for what the golden models lack.
///
/// Weights are scaled so that attention is neither flat nor one-hot and logits spread by a few units. Weight
/// names are the family's own (whether they are right is the golden models' matter).
///
/// @param family a `model_type` whose projections are separate or fused, not `chatglm`
/// @param extra further keys of `config.json`, each with a leading comma, or nothing
public record RandomCheckpoint(
        String family,
        int layers,
        int queryHeads,
        int kvHeads,
        int headDim,
        int vocabulary,
        int context,
        String extra) {
    private static final int HIDDEN = 32;
    private static final int INTERMEDIATE = 48;
    private static final long SEED = 20241028;

    /// Two layers, two query heads for each of two key-value heads.
    public static final RandomCheckpoint SMALL = new RandomCheckpoint("llama", 2, 4, 2, 16, 64, 4096, "");

    /// The same decoder with the vocabulary of [CharacterTokenizer].
    public static final RandomCheckpoint TALKING =
            new RandomCheckpoint("llama", 2, 4, 2, 16, CharacterTokenizer.VOCABULARY, 1024, "");

    /// A Phi-3 that reads up to 400 tokens, with other rotary factors beyond `border` of them.
    public static RandomCheckpoint longrope(int border) {
        String factors = "[" + "1.5, ".repeat(7) + "2.0]";
        String scaling = ", \"original_max_position_embeddings\": " + border + ", \"rope_scaling\": "
                + "{\"type\": \"longrope\", \"short_factor\": " + factors
                + ", \"long_factor\": " + factors.replace("1.5", "3.0") + "}";
        return new RandomCheckpoint("phi3", 2, 2, 2, 16, 64, 400, scaling);
    }

    /// Writes `config.json` and `model.safetensors` into `folder`, which is made.
    public Path write(Path folder) {
        return write(folder, DType.F32);
    }

    /// @param type F32 or BF16, the type of the weights
    public Path write(Path folder, DType type) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), config());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
        Family known = Family.of(config);
        weights(known.spec(config), known.weightNames(config), type).write(folder.resolve("model.safetensors"));
        return folder;
    }

    /// As [#write], with a tokenizer and an end-of-sequence id.
    public Path writeTalking(Path folder, int endId) {
        write(folder);
        try {
            CharacterTokenizer.write(folder);
            Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": " + endId + "}");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    private String config() {
        return """
                {"model_type": "%s", "num_hidden_layers": %d, "hidden_size": %d, "intermediate_size": %d,
                 "num_attention_heads": %d, "num_key_value_heads": %d, "head_dim": %d, "vocab_size": %d,
                 "max_position_embeddings": %d, "rms_norm_eps": 1e-5, "rope_theta": 10000.0%s}
                """.formatted(
                        family, layers, HIDDEN, INTERMEDIATE, queryHeads, kvHeads, headDim, vocabulary, context, extra);
    }

    private SafetensorsWriter weights(DecoderSpec spec, WeightNames names, DType type) {
        var values = new Values(
                new SafetensorsWriter(),
                type,
                RandomGeneratorFactory.of("L64X128MixRandom").create(SEED));
        values.matrix(names.embedding(), vocabulary, HIDDEN, 1);
        values.norm(names.finalNorm(), HIDDEN);
        values.matrix(names.head(), vocabulary, HIDDEN, 2 / Math.sqrt(HIDDEN));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = names.layerPrefix().formatted(layer);
            values.norm(prefix + names.attention().norm(), HIDDEN);
            values.norm(prefix + names.mlp().norm(), HIDDEN);
            if (spec.layer(layer).queryKeyNorm()) {
                values.norm(prefix + names.attention().queryNorm(), headDim);
                values.norm(prefix + names.attention().keyNorm(), headDim);
            }
            if (spec.layer(layer).outputNorms()) {
                values.norm(prefix + names.attention().outputNorm(), HIDDEN);
                values.norm(prefix + names.mlp().outputNorm(), HIDDEN);
            }
            List<Integer> widths = List.of(spec.queryWidth(), spec.kvWidth(), spec.kvWidth());
            values.projections(
                    prefix,
                    names.attention().queryKeyValue(),
                    widths,
                    1.5,
                    names.attention().hasBias());
            values.matrix(
                    prefix + names.attention().output(), HIDDEN, spec.queryWidth(), 1 / Math.sqrt(spec.queryWidth()));
            switch (spec.layer(layer).feedForward()) {
                case FeedForwardSpec.Gated gated -> values.mlp(prefix, names.mlp(), gated.intermediateSize());
                case FeedForwardSpec.Experts experts -> {
                    values.matrix(prefix + names.mlp().router(), experts.count(), HIDDEN, 2 / Math.sqrt(HIDDEN));
                    for (int i = 0; i < experts.count(); i++) {
                        values.mlp(prefix, names.mlp().expert(i), experts.intermediateSize());
                    }
                }
            }
        }
        return values.writer();
    }

    private record Values(SafetensorsWriter writer, DType type, RandomGenerator random) {
        void matrix(String name, int out, int in, double deviation) {
            add(name + ".weight", Shape.of(out, in), gaussians(out * in, 0, deviation));
        }

        void norm(String name, int width) {
            add(name + ".weight", Shape.of(width), gaussians(width, 1, 0.1));
        }

        void mlp(String prefix, WeightNames.Mlp names, int width) {
            projections(prefix, names.gateUp(), List.of(width, width), 1, names.hasBias());
            matrix(prefix + names.down(), HIDDEN, width, 1 / Math.sqrt(width));
        }

        /// One matrix for each width, or a fused one where there is a single name.
        void projections(String prefix, List<String> names, List<Integer> widths, double gain, boolean hasBias) {
            boolean isFused = names.size() < widths.size();
            int total = widths.stream().mapToInt(Integer::intValue).sum();
            for (int i = 0; i < names.size(); i++) {
                int out = isFused ? total : widths.get(i);
                matrix(prefix + names.get(i), out, HIDDEN, gain / Math.sqrt(HIDDEN));
                if (hasBias) {
                    add(prefix + names.get(i) + ".bias", Shape.of(out), gaussians(out, 0, 0.3));
                }
            }
        }

        private void add(String name, Shape shape, float[] values) {
            RandomCheckpoint.add(writer, name, shape, values, type);
        }

        private float[] gaussians(int count, double mean, double deviation) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) random.nextGaussian(mean, deviation);
            }
            return values;
        }
    }

    /// Adds a tensor with `values`, rounded if `type` is BF16.
    public static void add(SafetensorsWriter writer, String name, Shape shape, float[] values, DType type) {
        if (type == DType.F32) {
            writer.add(name, shape, values);
            return;
        }
        ByteBuffer bytes = ByteBuffer.allocate(values.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putShort(Floats.toBf16(value));
        }
        writer.add(name, type, shape, channel -> {
            ByteBuffer left = bytes.duplicate().flip();
            while (left.hasRemaining()) {
                channel.write(left);
            }
        });
    }
}
