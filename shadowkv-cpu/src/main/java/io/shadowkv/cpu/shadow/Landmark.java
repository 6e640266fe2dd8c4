package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.vector.VectorMath;

/// The mean of a unit's keys.
final class Landmark {
    private Landmark() {}

    /// Fills `mean` with the mean of `count` keys and returns the smallest cosine between it and
    /// one of them.
    ///
    /// @param members `[count, headDim]`
    static float meanAndLeastCosine(float[] members, int count, int headDim, float[] mean) {
        java.util.Arrays.fill(mean, 0, headDim, 0);
        for (int j = 0; j < count; j++) {
            VectorMath.addScaled(1, members, j * headDim, mean, 0, headDim);
        }
        VectorMath.scale(1f / count, mean, 0, headDim);
        double meanLength = Math.sqrt(VectorMath.dot(mean, 0, mean, 0, headDim));
        double least = Double.POSITIVE_INFINITY;
        for (int j = 0; j < count; j++) {
            int at = j * headDim;
            double length = Math.sqrt(VectorMath.dot(members, at, members, at, headDim)) * meanLength;
            least = Math.min(least, length == 0 ? 0 : VectorMath.dot(members, at, mean, 0, headDim) / length);
        }
        return (float) least;
    }
}
