package io.shadowkv.eval.ruler.text;

import java.util.Locale;

/// The source of the wording and of the search for a text's size.
public enum RulerVersion {
    /// NVIDIA's current version (NVIDIA/RULER, `scripts/data`): finds the largest size that fits by
    /// bisection.
    NVIDIA,
    /// The older copy in the paper's code (bytedance/ShadowKV, `data/ruler`): increases the size
    /// step by step.
    SHADOWKV;

    /// Returns the version with the given name, `nvidia` or `shadowkv`.
    ///
    /// @throws IllegalArgumentException if there is none
    public static RulerVersion of(String name) {
        for (RulerVersion version : values()) {
            if (version.label().equals(name)) {
                return version;
            }
        }
        throw new IllegalArgumentException("RULER has no version \"" + name + "\"; expected nvidia or shadowkv");
    }

    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
