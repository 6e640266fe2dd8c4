package io.shadowkv.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Functions of float vectors and of ranges of float arrays.
public final class VectorMath {
    static final float LOG2_E = 1.4426950408889634f;

    private static final float LOG2_E_REST = (float) (1.4426950408889634 - LOG2_E);
    /// Adding it rounds a float to a whole number, which is then in the lowest bits.
    private static final float ROUNDER = 0x1.8p23f;
    private static final float LEAST_EXPONENT = -126;
    private static final float LARGEST_EXPONENT = 127;
    private static final int MANTISSA_BITS = 23;

    private VectorMath() {}

    /// 2^x for x below 128, with a relative error of 2e-7; x below -126 gives 2^-126.
    public static FloatVector exp2(FloatVector x) {
        FloatVector bounded = x.max(LEAST_EXPONENT);
        FloatVector shifted = bounded.add(ROUNDER);
        return power(bounded.sub(shifted.sub(ROUNDER)), shifted);
    }

    /// e^x with a relative error of 2e-7; beyond the range of floats, a value near the smallest or
    /// largest float.
    static FloatVector exp(FloatVector x) {
        FloatVector bounded = x.max(LEAST_EXPONENT / LOG2_E).min(LARGEST_EXPONENT / LOG2_E);
        FloatVector shifted = bounded.mul(LOG2_E).add(ROUNDER);
        FloatVector whole = shifted.sub(ROUNDER);
        FloatVector rest = bounded.fma(VectorWidth.floats(LOG2_E), whole.neg());
        return power(bounded.fma(VectorWidth.floats(LOG2_E_REST), rest), shifted);
    }

    /// 2^fraction, for |fraction| up to 1/2, times two to the power of the whole number in the
    /// lowest bits of `shifted`. The polynomial is the minimax polynomial of its degree, with a
    /// relative error of 2e-9.
    private static FloatVector power(FloatVector fraction, FloatVector shifted) {
        FloatVector sum = VectorWidth.floats(1.534580806e-4f).fma(fraction, VectorWidth.floats(1.339993090e-3f));
        sum = sum.fma(fraction, VectorWidth.floats(9.618489072e-3f));
        sum = sum.fma(fraction, VectorWidth.floats(5.550328642e-2f));
        sum = sum.fma(fraction, VectorWidth.floats(2.402264625e-1f));
        sum = sum.fma(fraction, VectorWidth.floats(6.931471825e-1f));
        sum = sum.fma(fraction, VectorWidth.floats(1));
        IntVector exponent = shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, MANTISSA_BITS);
        return sum.reinterpretAsInts().add(exponent).reinterpretAsFloats();
    }

    /// Sum of `x[xAt + i] * y[yAt + i]`.
    public static float dot(float[] x, int xAt, float[] y, int yAt, int count) {
        FloatVector even = VectorWidth.zero();
        FloatVector odd = VectorWidth.zero();
        int lanes = VectorWidth.LANES;
        int i = 0;
        for (; i <= count - 2 * lanes; i += 2 * lanes) {
            even = vector(x, xAt + i).fma(vector(y, yAt + i), even);
            odd = vector(x, xAt + i + lanes).fma(vector(y, yAt + i + lanes), odd);
        }
        for (; i <= count - lanes; i += lanes) {
            even = vector(x, xAt + i).fma(vector(y, yAt + i), even);
        }
        float sum = LaneSum.of(even.add(odd));
        for (; i < count; i++) {
            sum += x[xAt + i] * y[yAt + i];
        }
        return sum;
    }

    /// `y[yAt + i] += factor * x[xAt + i]`.
    public static void addScaled(float factor, float[] x, int xAt, float[] y, int yAt, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            vector(x, xAt + i)
                    .fma(VectorWidth.floats(factor), vector(y, yAt + i))
                    .intoArray(y, yAt + i);
        }
        for (; i < count; i++) {
            y[yAt + i] = Math.fma(x[xAt + i], factor, y[yAt + i]);
        }
    }

    /// `x[at + i] *= factor`.
    public static void scale(float factor, float[] x, int at, int count) {
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            vector(x, at + i).mul(factor).intoArray(x, at + i);
        }
        for (; i < count; i++) {
            x[at + i] *= factor;
        }
    }

    /// The largest of `count` elements, at least one.
    public static float largest(float[] x, int at, int count) {
        FloatVector largest = VectorWidth.floats(Float.NEGATIVE_INFINITY);
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            largest = vector(x, at + i).max(largest);
        }
        float result = largest.reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            result = Math.max(result, x[at + i]);
        }
        return result;
    }

    /// Replaces each x by `2^(x - shift)` and returns the sum.
    public static float exp2InPlace(float[] x, int at, int count, float shift) {
        FloatVector sum = VectorWidth.zero();
        int i = 0;
        for (; i <= count - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector power = exp2(vector(x, at + i).sub(shift));
            power.intoArray(x, at + i);
            sum = power.add(sum);
        }
        float result = LaneSum.of(sum);
        for (; i < count; i++) {
            x[at + i] = (float) Math.pow(2, x[at + i] - shift);
            result += x[at + i];
        }
        return result;
    }

    public static FloatVector vector(float[] x, int at) {
        return FloatVector.fromArray(VectorWidth.FLOATS, x, at);
    }
}
