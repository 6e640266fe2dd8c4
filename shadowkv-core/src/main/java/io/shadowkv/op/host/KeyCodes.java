package io.shadowkv.op.host;

/// The format of token codes, which all backends share: a key in two bits a dimension and one scale.
///
/// A rotated key of head dim d, less the head's mean, is turned by a randomised Hadamard matrix,
/// which makes its elements alike. With the turned key x and m, the mean of |x_i|, the code of x_i is
/// `clamp(floor(x_i / (1.1 · m)) + 2, 0, 3)` and stands for the level `code − 1.5`. The scale
/// `Σ x_i² / Σ x_i · level_i` makes the product of the key with itself exact. It is rounded to BF16.
/// The code of a zero key is 0 and its scale 0.
///
/// The turn: element i changes its sign where [#isFlipped]; then blocks of n elements, n the largest
/// power of two that divides d, are multiplied by the Hadamard matrix of size n divided by √n. The
/// same turn of the query leaves products as they were. The mean adds the same number to all products
/// of a query, which no softmax notices, so it is left out.
///
/// [io.shadowkv.op.IndexedLayer.TokenCodes] says where the bits lie.
public final class KeyCodes {
    /// Dimensions in an int.
    public static final int WORD_DIMS = 16;

    /// Bits of a dimension.
    public static final int BITS = 2;

    /// Largest code.
    public static final int LARGEST = 3;

    /// The level of a code is the code less this.
    public static final float CENTRE = 1.5f;

    /// Distance of two levels' boundaries, in means of the elements' magnitudes. For normally
    /// distributed elements the best is 1.25; 1.1 keeps more of the large elements, which decide
    /// products.
    public static final float STEP = 1.1f;

    /// Signs of the first dimensions, which are asked for at every key; never written again.
    private static final float[] SIGNS = signs(256);

    private KeyCodes() {}

    private static float[] signs(int dimensions) {
        float[] signs = new float[dimensions];
        for (int i = 0; i < dimensions; i++) {
            signs[i] = sign(i);
        }
        return signs;
    }

    /// Size of the Hadamard matrix for a head dim: the largest power of two that divides it.
    public static int turnSize(int headDim) {
        return Integer.lowestOneBit(headDim);
    }

    /// True if the turn changes the sign of a dimension. Half of them, in no order.
    public static boolean isFlipped(int dimension) {
        int mixed = (dimension + 1) * 0x9E3779B1;
        mixed = (mixed ^ mixed >>> 15) * 0x85EBCA6B;
        mixed = (mixed ^ mixed >>> 13) * 0xC2B2AE35;
        return (mixed ^ mixed >>> 16) < 0;
    }

    /// Turns the first `headDim` elements of `values` from `at` on, in place.
    public static void turn(float[] values, int at, int headDim) {
        int size = turnSize(headDim);
        float norm = (float) (1 / Math.sqrt(size));
        for (int i = 0; i < headDim; i++) {
            values[at + i] *= norm * (i < SIGNS.length ? SIGNS[i] : sign(i));
        }
        for (int length = 1; length < size; length *= 2) {
            for (int from = at; from < at + headDim; from += 2 * length) {
                for (int i = from; i < from + length; i++) {
                    float low = values[i];
                    float high = values[i + length];
                    values[i] = low + high;
                    values[i + length] = low - high;
                }
            }
        }
    }

    private static float sign(int dimension) {
        return isFlipped(dimension) ? -1 : 1;
    }
}
