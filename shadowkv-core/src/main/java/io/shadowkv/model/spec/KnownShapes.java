package io.shadowkv.model.spec;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Shapes of published checkpoints, as their `config.json` states them, for benchmarks with random
/// weights, which need no download.
public final class KnownShapes {
    private static final Map<String, DecoderSpec> SHAPES = new TreeMap<>(Map.of(
            "llama-3.1-8b",
            llama8b(131_072, new RopeSpec(500_000, 128, false, new RopeScaling.Llama3(8, 1, 4, 8192))),
            // gradientai/Llama-3-8B-Instruct-Gradient-1048k
            "llama-3-8b-1m",
            llama8b(1_048_576, new RopeSpec(3_580_165_449.0, 128, false, new RopeScaling.None())),
            // THUDM/glm-4-9b-chat-1m: a base of 10000 times a rope_ratio of 10000, half of each head rotated
            "glm-4-9b",
            new DecoderSpec(
                    "chatglm",
                    40,
                    4096,
                    13_696,
                    32,
                    4,
                    128,
                    151_552,
                    1.5625e-7,
                    new RopeSpec(1e8, 64, true, new RopeScaling.None()),
                    false,
                    1_048_576),
            // 01-ai/Yi-9B-200K
            "yi-9b",
            new DecoderSpec(
                    "llama",
                    48,
                    4096,
                    11_008,
                    32,
                    4,
                    128,
                    64_000,
                    1e-6,
                    new RopeSpec(1e7, 128, false, new RopeScaling.None()),
                    false,
                    262_144),
            // microsoft/Phi-3-mini-128k-instruct
            "phi-3-mini-128k",
            new DecoderSpec(
                    "phi3",
                    32,
                    3072,
                    8192,
                    32,
                    32,
                    96,
                    32_064,
                    1e-5,
                    new RopeSpec(10_000, 96, false, phi3Scaling()),
                    false,
                    131_072),
            // Qwen/Qwen2-7B-Instruct, with the yarn scaling that its card prescribes for 128K
            "qwen2-7b",
            new DecoderSpec(
                    "qwen2",
                    28,
                    3584,
                    18_944,
                    28,
                    4,
                    128,
                    152_064,
                    1e-6,
                    new RopeSpec(1e6, 128, false, yarn4()),
                    false,
                    131_072),
            // Qwen/Qwen3-8B, with the yarn scaling that its card prescribes for 128K
            "qwen3-8b",
            qwen3("qwen3", 36, 4096, 8, new FeedForwardSpec.Gated(12_288)),
            // mistralai/Mistral-7B-Instruct-v0.3
            "mistral-7b",
            new DecoderSpec(
                    "mistral",
                    32,
                    4096,
                    14_336,
                    32,
                    8,
                    128,
                    32_768,
                    1e-5,
                    new RopeSpec(1e6, 128, false, new RopeScaling.None()),
                    false,
                    32_768),
            // ByteDance-Seed/Seed-OSS-36B-Instruct
            "seed-oss-36b",
            new DecoderSpec(
                    "seed_oss",
                    64,
                    5120,
                    27_648,
                    80,
                    8,
                    128,
                    155_136,
                    1e-6,
                    new RopeSpec(1e7, 128, false, new RopeScaling.None()),
                    false,
                    524_288),
            // Qwen/Qwen3-30B-A3B, with the yarn scaling that its card prescribes for 128K
            "qwen3-30b-a3b",
            qwen3("qwen3_moe", 48, 2048, 4, new FeedForwardSpec.Experts(128, 8, 768, true))));

    private KnownShapes() {}

    /// Names of all shapes, in alphabetical order.
    public static List<String> names() {
        return List.copyOf(SHAPES.keySet());
    }

    /// @throws IllegalArgumentException if there is no such shape
    public static DecoderSpec named(String name) {
        DecoderSpec spec = SHAPES.get(name);
        if (spec == null) {
            throw new IllegalArgumentException(
                    "there is no known shape \"" + name + "\"; there are " + String.join(", ", names()));
        }
        return spec;
    }

    private static DecoderSpec llama8b(int contextTokens, RopeSpec rope) {
        return new DecoderSpec("llama", 32, 4096, 14_336, 32, 8, 128, 128_256, 1e-5, rope, false, contextTokens);
    }

    /// The sizes that the checkpoints of Qwen3 share.
    private static DecoderSpec qwen3(
            String family, int layers, int hiddenSize, int kvHeads, FeedForwardSpec feedForward) {
        RopeSpec rope = new RopeSpec(1e6, 128, false, yarn4());
        return new DecoderSpec(
                family,
                hiddenSize,
                32,
                kvHeads,
                128,
                151_936,
                1e-6,
                Scales.of(128),
                false,
                131_072,
                "",
                Collections.nCopies(layers, new LayerSpec(rope, 0, true, false, feedForward)));
    }

    /// Four times 32,768 tokens.
    private static RopeScaling yarn4() {
        return new RopeScaling.Yarn(4, 32_768, 32, 1, 0.1 * Math.log(4) + 1, true);
    }

    /// Longrope over an original context of 4,096. The published 2 · 48 factors are replaced by
    /// powers between the same ends, 1 and about 65 for long sequences: with random weights the
    /// result has no meaning anyway, and time does not depend on the factors.
    private static RopeScaling phi3Scaling() {
        int pairs = 48;
        double[] shortFactors = new double[pairs];
        double[] longFactors = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            double share = i / (pairs - 1.0);
            shortFactors[i] = Math.pow(2.8, share);
            longFactors[i] = Math.pow(65, share);
        }
        double attention = Math.sqrt(1 + Math.log(131_072 / 4096.0) / Math.log(4096));
        return new RopeScaling.LongRope(shortFactors, longFactors, 4096, attention);
    }
}
