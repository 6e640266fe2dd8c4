package io.shadowkv.op.host;

/// The scores that `ShadowOperations.forceHits` writes. They decide which resident units a
/// synthetic selection keeps and in which order it takes the others. For a selection of k out of n
/// units, with C slots:
///
/// ```
/// base(h)      = mix(low 32 bits of counters[0] + 0x9E3779B9 · (h + 1))
/// score[h, u]  = ((mix((base(h) ^ 0x80000000) + u) >>> 9) + 0.5) · 2⁻²³       for every unit u < n
/// then, for every slot s that holds a unit u:
/// score[h, u]  = 2 if mix(base(h) + s) < threshold, else 0
/// threshold    = floor(hitRate · k / C · 2³²)
/// ```
///
/// All sums are 32-bit and wrap around; mix is the finalizer of MurmurHash3; the comparison is
/// unsigned; threshold has 64 bits. A resident unit is therefore kept with probability hitRate · k
/// / C, and the k selected units contain about hitRate · k hits. Layers, sequences and rows with
/// equal counters get equal scores.
public final class ForcedHits {
    /// Score of a resident unit that is kept; higher than every other score.
    public static final float KEPT = 2;

    /// Score of a resident unit that is replaced; lower than every other score.
    public static final float DROPPED = 0;

    private static final int GOLDEN_RATIO = 0x9E3779B9;

    private ForcedHits() {}

    /// @param selectedBefore `counters[0]` of the layer
    public static int base(long selectedBefore, int head) {
        return mix((int) selectedBefore + GOLDEN_RATIO * (head + 1));
    }

    /// Score of a unit that is not resident, between 0 and 1.
    public static float unitScore(int base, int unit) {
        // 23 bits plus one half are exactly representable as a float, and the result never reaches
        // 1.
        return ((mix((base ^ Integer.MIN_VALUE) + unit) >>> 9) + 0.5f) * 0x1p-23f;
    }

    /// @param selected k, units selected by a step
    /// @param slots C
    public static long threshold(double hitRate, int selected, int slots) {
        return (long) (hitRate * selected / slots * 0x1p32);
    }

    /// Score of the unit in `slot`.
    public static float slotScore(int base, int slot, long threshold) {
        return Integer.toUnsignedLong(mix(base + slot)) < threshold ? KEPT : DROPPED;
    }

    /// Spreads 32 bits over 32 bits (MurmurHash3's `fmix32`).
    public static int mix(int bits) {
        int mixed = bits;
        mixed = (mixed ^ mixed >>> 16) * 0x85EBCA6B;
        mixed = (mixed ^ mixed >>> 13) * 0xC2B2AE35;
        return mixed ^ mixed >>> 16;
    }
}
