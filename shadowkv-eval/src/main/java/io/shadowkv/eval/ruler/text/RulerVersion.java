package io.shadowkv.eval.ruler.text;

import java.util.Locale;

/// Whose wording and filling.
public enum RulerVersion {
    /// NVIDIA's current one (NVIDIA/RULER, `scripts/data`): halves its way to the largest size that fits.
    NVIDIA,
    /// The older copy in the paper's code (bytedance/ShadowKV, `data/ruler`): grows step by step.
    SHADOWKV;

    /// The version of a name, `nvidia` or `shadowkv`.
    ///
    /// @throws IllegalArgumentException if there is none
    public static RulerVersion of(String name) {
        for (RulerVersion version : values()) {
            if (version.label().equals(name)) {
                return version;
            }
        }
        throw new IllegalArgumentException("RULER has no version \"" + name + "\" here; there are nvidia and shadowkv");
    }

    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
