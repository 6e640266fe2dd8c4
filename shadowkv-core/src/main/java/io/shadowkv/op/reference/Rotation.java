package io.shadowkv.op.reference;

import io.shadowkv.op.Rotary;

/// Rotary position encoding of one head, and its inverse.
final class Rotation {
    private final Rotary rotary;
    private final int half;
    private final double[] cosines;
    private final double[] sines;

    /// The rotation of one position.
    ///
    /// @throws IllegalArgumentException if the tables do not reach `position`
    Rotation(Rotary rotary, int position) {
        if (position < 0 || position >= rotary.positions()) {
            throw new IllegalArgumentException("position " + position + " has no rotation; the tables cover 0 until "
                    + rotary.positions() + ". Make them as long as the context");
        }
        this.rotary = rotary;
        half = rotary.rotaryDim() / 2;
        cosines = Elements.read(rotary.cosines(), (long) position * half, half);
        sines = Elements.read(rotary.sines(), (long) position * half, half);
    }

    /// Rotates the head that starts at `values[at]`, in place.
    void forward(double[] values, int at) {
        for (int pair = 0; pair < half; pair++) {
            turn(values, at, pair, sines[pair], 1);
        }
    }

    /// Undoes [#forward]: rotates by the opposite angle and divides by the square of the scaling
    /// that both tables include.
    void back(double[] values, int at) {
        double undo = 1 / (rotary.scaling() * rotary.scaling());
        for (int pair = 0; pair < half; pair++) {
            turn(values, at, pair, -sines[pair], undo);
        }
    }

    private void turn(double[] values, int at, int pair, double sine, double factor) {
        int first = at + (rotary.interleaved() ? 2 * pair : pair);
        int second = first + (rotary.interleaved() ? 1 : half);
        double x = values[first];
        double y = values[second];
        values[first] = (x * cosines[pair] - y * sine) * factor;
        values[second] = (x * sine + y * cosines[pair]) * factor;
    }
}
