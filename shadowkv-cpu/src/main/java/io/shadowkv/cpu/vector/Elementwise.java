package io.shadowkv.cpu.vector;

import jdk.incubator.vector.FloatVector;

/// Loops over rows of floats.
public final class Elementwise {
    private Elementwise() {}

    /// `row = row * factor * weights`.
    public static void scaleBy(float[] row, float factor, float[] weights, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            VectorMath.vector(row, i)
                    .mul(factor)
                    .mul(VectorMath.vector(weights, i))
                    .intoArray(row, i);
        }
        for (; i < count; i++) {
            row[i] = row[i] * factor * weights[i];
        }
    }

    /// `row = row * factor`.
    public static void scale(float[] row, float factor, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            VectorMath.vector(row, i).mul(factor).intoArray(row, i);
        }
        for (; i < count; i++) {
            row[i] *= factor;
        }
    }

    /// `target += source`.
    public static void add(float[] target, float[] source, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            VectorMath.vector(target, i).add(VectorMath.vector(source, i)).intoArray(target, i);
        }
        for (; i < count; i++) {
            target[i] += source[i];
        }
    }

    /// `gate = gate / (1 + e^-gate) * up`.
    public static void gate(float[] gate, float[] up, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector x = VectorMath.vector(gate, i);
            FloatVector divisor = VectorMath.exp(x.neg()).add(1);
            x.div(divisor).mul(VectorMath.vector(up, i)).intoArray(gate, i);
        }
        for (; i < count; i++) {
            gate[i] = (float) (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
        }
    }
}
