package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.attention.KeyTile;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// The scores of units for a group of query heads.
final class GroupScores {
    private GroupScores() {}

    /// `best[u] = max over g of softmax over u of scores[g, u]`, where scores are exponents of two;
    /// overwrites the scores.
    static void best(KeyTile.Scores scores, int groupSize, int units, float[] best) {
        Arrays.fill(best, 0, units, 0);
        for (int g = 0; g < groupSize; g++) {
            int at = g * scores.stride();
            float largest = VectorMath.largest(scores.values(), at, units);
            float total = VectorMath.exp2InPlace(scores.values(), at, units, largest);
            raise(best, scores.values(), at, 1 / total, units);
        }
    }

    /// `best = max(best, values * factor)`.
    private static void raise(float[] best, float[] values, int at, float factor, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector raised = VectorMath.vector(values, at + i).mul(factor);
            raised.max(VectorMath.vector(best, i)).intoArray(best, i);
        }
        for (; i < count; i++) {
            best[i] = Math.max(best[i], values[at + i] * factor);
        }
    }
}
