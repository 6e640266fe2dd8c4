package io.shadowkv.op.testing;

import io.shadowkv.tensor.DType;

/// Tables of a rotary position encoding for tests.
///
/// @param cosines [positions, rotaryDim / 2], scaling included
/// @param sines the same shape
public record RotaryTable(Sample cosines, Sample sines, int rotaryDim, boolean interleaved, double scaling) {
    private static final double THETA = 10_000;

    public static RotaryTable of(int positions, int rotaryDim, boolean interleaved, double scaling) {
        int half = rotaryDim / 2;
        float[] cosines = new float[positions * half];
        float[] sines = new float[positions * half];
        for (int p = 0; p < positions; p++) {
            for (int i = 0; i < half; i++) {
                double angle = p / Math.pow(THETA, 2.0 * i / rotaryDim);
                cosines[p * half + i] = (float) (Math.cos(angle) * scaling);
                sines[p * half + i] = (float) (Math.sin(angle) * scaling);
            }
        }
        return new RotaryTable(
                Sample.of(DType.F32, cosines, positions, half),
                Sample.of(DType.F32, sines, positions, half),
                rotaryDim,
                interleaved,
                scaling);
    }
}
