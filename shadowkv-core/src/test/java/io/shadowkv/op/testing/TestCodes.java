package io.shadowkv.op.testing;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import java.util.stream.IntStream;

/// Quantisation as its definition says, by search where others calculate.
public final class TestCodes {
    private static final double[] I8_SIZES = sizes(DType.I8);
    private static final double[] E4M3_SIZES = sizes(DType.F8E4M3);

    private TestCodes() {}

    /// What the codes without a sign stand for.
    private static double[] sizes(DType codes) {
        return IntStream.range(0, 128)
                .mapToDouble(code -> number(codes, (byte) code))
                .toArray();
    }

    /// The least BF16 number that is not below the row's largest magnitude over the largest code.
    public static float scale(DType codes, float[] row) {
        float largest = 0;
        for (float value : row) {
            largest = Math.max(largest, Math.abs(value));
        }
        float quotient = largest / (codes == DType.I8 ? 127 : 448);
        short bits = (short) (Float.floatToIntBits(quotient) >>> 16);
        return Floats.fromBf16(bits) >= quotient ? Floats.fromBf16(bits) : Floats.fromBf16((short) (bits + 1));
    }

    public static byte[] encode(DType codes, float[] row, float scale) {
        byte[] encoded = new byte[row.length];
        for (int e = 0; e < row.length; e++) {
            encoded[e] = scale == 0 ? 0 : nearest(codes, row[e] / scale);
        }
        return encoded;
    }

    /// The code nearest to `value`; of two as near, the even one. A negative value that rounds to zero keeps
    /// its sign where the type has a negative zero.
    static byte nearest(DType codes, float value) {
        double[] sizes = codes == DType.I8 ? I8_SIZES : E4M3_SIZES;
        byte best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int code = 0; code < 128; code++) {
            double error = Math.abs(sizes[code] - Math.abs(value));
            if (error < least || error == least && code % 2 == 0) {
                best = (byte) code;
                least = error;
            }
        }
        boolean isNegative = Float.floatToIntBits(value) < 0;
        if (codes == DType.I8) {
            return (byte) (isNegative ? -best : best);
        }
        return (byte) (isNegative ? best | 0x80 : best);
    }

    /// What a code stands for; OCP E4M3 has no infinities and one NaN of each sign.
    public static float number(DType codes, byte code) {
        if (codes == DType.I8) {
            return code;
        }
        int exponent = (code & 0x7F) / 8;
        int mantissa = code & 7;
        double size =
                exponent == 0 ? mantissa / 8.0 * Math.pow(2, -6) : (1 + mantissa / 8.0) * Math.pow(2, exponent - 7);
        if ((code & 0x7F) == 0x7F) {
            return Float.NaN;
        }
        return (float) (code < 0 ? -size : size);
    }
}
