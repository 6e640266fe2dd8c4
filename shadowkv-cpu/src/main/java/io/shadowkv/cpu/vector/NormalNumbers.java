package io.shadowkv.cpu.vector;

/// Normally distributed numbers by index: the cosine form of Box and Muller over SplitMix64.
public final class NormalNumbers {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    private static final double UNIT = 0x1p-32;

    private NormalNumbers() {}

    /// Fills `target` with numbers `from` to `from + count` (exclusive) of the sequence of `seed`.
    public static void fill(float[] target, int count, long from, long seed, double deviation) {
        for (int i = 0; i < count; i++) {
            long bits = mix(seed + (from + i + 1) * GOLDEN_GAMMA);
            double u = ((bits >>> Integer.SIZE) + 0.5) * UNIT;
            double v = ((bits & 0xFFFF_FFFFL) + 0.5) * UNIT;
            target[i] = (float) (deviation * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v));
        }
    }

    private static long mix(long state) {
        long mixed = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
