package io.shadowkv.model.spec;

import io.shadowkv.checkpoint.CheckpointException;
import io.shadowkv.checkpoint.ModelConfig;
import org.jspecify.annotations.Nullable;

/// Reads rotary scaling and the context length from `config.json`: `rope_scaling`, or
/// `rope_parameters` of transformers 5.
final class RopeReader {
    private RopeReader() {}

    static @Nullable ModelConfig parameters(ModelConfig config) {
        return config.object("rope_parameters")
                .or(() -> config.object("rope_scaling"))
                .orElse(null);
    }

    static RopeScaling scaling(ModelConfig config, @Nullable ModelConfig rope, int statedByFamily) {
        if (rope == null) {
            return new RopeScaling.None();
        }
        String type =
                rope.has("rope_type") ? rope.string("rope_type") : rope.has("type") ? rope.string("type") : "default";
        return switch (type) {
            case "default" -> new RopeScaling.None();
            case "linear" -> new RopeScaling.Linear(rope.number("factor"));
            case "llama3" ->
                new RopeScaling.Llama3(
                        rope.number("factor"),
                        rope.number("low_freq_factor"),
                        rope.number("high_freq_factor"),
                        originalContext(config, rope, statedByFamily));
            case "yarn" -> yarn(config, rope, statedByFamily);
            case "longrope", "su" -> longRope(config, rope, statedByFamily);
            // The form of a GGUF file, which io.shadowkv.checkpoint.GgufConfig writes.
            case "rope_freqs" -> new RopeScaling.Divisors(rope.doubles("factors"));
            default ->
                throw new CheckpointException(config.source() + ": rope scaling of type \"" + type
                        + "\" is not known; this engine reads default, linear, llama3, yarn and longrope");
        };
    }

    private static RopeScaling yarn(ModelConfig config, ModelConfig rope, int statedByFamily) {
        int original = originalContext(config, rope, statedByFamily);
        double factor = rope.has("factor")
                ? rope.number("factor")
                : (double) config.integer("max_position_embeddings") / original;
        double attention;
        if (rope.has("attention_factor")) {
            attention = rope.number("attention_factor");
        } else if (number(rope, "mscale", 0) != 0 && number(rope, "mscale_all_dim", 0) != 0) {
            attention = yarnScale(factor, rope.number("mscale")) / yarnScale(factor, rope.number("mscale_all_dim"));
        } else {
            attention = yarnScale(factor, 1);
        }
        return new RopeScaling.Yarn(
                factor,
                original,
                number(rope, "beta_fast", 32),
                number(rope, "beta_slow", 1),
                attention,
                rope.bool("truncate", true));
    }

    private static double yarnScale(double factor, double weight) {
        return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
    }

    /// The attention factor is computed from the stated `factor` if there is one, as in
    /// transformers 5. Transformers 4 uses the ratio of the two contexts if the original one is
    /// stated outside the scaling, and ignores `factor` then.
    private static RopeScaling longRope(ModelConfig config, ModelConfig rope, int statedByFamily) {
        int original = originalContext(config, rope, statedByFamily);
        double factor = rope.has("factor")
                ? rope.number("factor")
                : (double) config.integer("max_position_embeddings") / original;
        if (!(factor > 0)) {
            throw rope.wrong("factor", "a number above 0");
        }
        double attention = rope.has("attention_factor")
                ? rope.number("attention_factor")
                : factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new RopeScaling.LongRope(rope.doubles("short_factor"), rope.doubles("long_factor"), original, attention);
    }

    /// Context before scaling. Phi-3 states it outside the scaling object. If it is stated both
    /// outside and inside, the outer value is used, as in transformers 5.
    static int originalContext(ModelConfig config, ModelConfig rope, int statedByFamily) {
        String key = "original_max_position_embeddings";
        if (config.has(key)) {
            return config.positive(key);
        }
        if (rope.has(key)) {
            return rope.positive(key);
        }
        return statedByFamily > 0 ? statedByFamily : config.positive("max_position_embeddings");
    }

    /// The stated context, or the original context times the factor of yarn or linear scaling if
    /// that is longer: some files state the context before scaling and some the one after it (vLLM
    /// treats both alike).
    static int positions(ModelConfig config, @Nullable ModelConfig rope, RopeScaling scaling, int statedByFamily) {
        long stated = config.positive("max_position_embeddings");
        double scaled = rope == null
                ? 0
                : switch (scaling) {
                    case RopeScaling.Yarn yarn -> yarn.factor() * yarn.originalContext();
                    case RopeScaling.Linear linear -> linear.factor() * originalContext(config, rope, statedByFamily);
                    default -> 0;
                };
        return (int) Math.max(stated, Math.min((long) scaled, Integer.MAX_VALUE));
    }

    static double number(@Nullable ModelConfig config, String key, double otherwise) {
        return config != null && config.has(key) ? config.number(key) : otherwise;
    }
}
