package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;

/// The quantisation of stored values: one scale per row (one token of one head), one code per
/// element.
///
/// ```
/// scale = (largest magnitude of the row / top), the quotient in float, then rounded up to BF16
/// code = value / scale in float, rounded to nearest even; 0 if the scale is 0 value = code ·
/// scale, exact in float (8 significant bits times 8)
/// ```
///
/// top is 127 for I8 and 448 for F8E4M3. Rounding the scale up keeps every code within its type's range.
public final class ValueCodes {
    private static final float TOP_I8 = 127;
    private static final float TOP_E4M3 = 448;

    private ValueCodes() {}

    /// True if `dtype` is a code type: I8 or F8E4M3.
    public static boolean isCode(DType dtype) {
        return dtype == DType.I8 || dtype == DType.F8E4M3;
    }

    /// The scale of a row, a BF16 number.
    ///
    /// @param largest magnitude of the row's largest element, finite
    public static float scale(DType codes, float largest) {
        int bits = Float.floatToRawIntBits(largest / (codes == DType.I8 ? TOP_I8 : TOP_E4M3));
        return Float.intBitsToFloat(bits + 0xFFFF & 0xFFFF_0000);
    }

    public static byte encode(DType codes, float value, float scale) {
        if (scale == 0) {
            return 0;
        }
        float quotient = value / scale;
        return codes == DType.I8 ? (byte) Math.rint(quotient) : Floats.toE4m3(quotient);
    }

    /// The number that a code represents, before it is multiplied by the scale.
    public static float decode(DType codes, byte code) {
        return codes == DType.I8 ? code : Floats.fromE4m3(code);
    }
}
