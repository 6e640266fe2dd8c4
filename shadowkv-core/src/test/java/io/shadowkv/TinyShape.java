package io.shadowkv;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.RopeScaling;
import io.shadowkv.model.spec.RopeSpec;

/// A Llama small enough for loops in double.
public final class TinyShape {
    private TinyShape() {}

    /// Hidden size 32, MLP 48, 4 query and 2 key-value heads of 16, a vocabulary of 64.
    public static DecoderSpec llama(int layers) {
        return new DecoderSpec(
                "llama",
                layers,
                32,
                48,
                4,
                2,
                16,
                64,
                1e-5,
                new RopeSpec(10_000, 16, false, new RopeScaling.None()),
                false,
                4096);
    }
}
