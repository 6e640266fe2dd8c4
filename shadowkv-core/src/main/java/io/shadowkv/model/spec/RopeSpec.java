package io.shadowkv.model.spec;

/// Rotary position encoding of a family.
///
/// @param theta base of the frequencies
/// @param rotaryDim leading elements of a head that rotate
/// @param interleaved true if neighbours (0,1), (2,3) … form pairs; false if element i pairs with i + rotaryDim/2
/// @param scaling how frequencies are changed for long contexts
public record RopeSpec(double theta, int rotaryDim, boolean interleaved, RopeScaling scaling) {
    public RopeSpec {
        if (!(theta > 0 && Double.isFinite(theta))) {
            throw new IllegalArgumentException("rope_theta is " + theta + "; expected a positive number");
        }
    }

    /// Longest sequence that uses the short frequencies; [#frequencies] differ for longer ones.
    /// `Integer.MAX_VALUE` for all scalings except longrope.
    public int shortLimit() {
        return scaling instanceof RopeScaling.LongRope longRope ? longRope.originalContext() : Integer.MAX_VALUE;
    }

    /// Rejects parameters that are each in range but together give unusable angles.
    ///
    /// @throws IllegalArgumentException if the frequency of a pair is not a finite number above 0
    void check() {
        for (boolean isLong : new boolean[] {false, true}) {
            double[] frequencies = frequencies(isLong);
            for (int i = 0; i < frequencies.length; i++) {
                if (!(frequencies[i] > 0 && Double.isFinite(frequencies[i]))) {
                    throw new IllegalArgumentException("rope_theta " + theta + " with rope scaling " + scaling.name()
                            + " gives pair " + i + " the frequency " + frequencies[i]
                            + "; expected a finite number above 0");
                }
            }
        }
    }

    /// The angle per position of each pair, in double.
    ///
    /// @param isLong true for sequences beyond [#shortLimit]
    /// @return rotaryDim / 2 frequencies
    public double[] frequencies(boolean isLong) {
        double[] plain = new double[rotaryDim / 2];
        for (int i = 0; i < plain.length; i++) {
            plain[i] = Math.pow(theta, -2.0 * i / rotaryDim);
        }
        return scaling.scale(plain, this, isLong);
    }
}
