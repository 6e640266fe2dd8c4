package io.shadowkv.cpu.vector;

import io.shadowkv.op.Rotary;
import jdk.incubator.vector.FloatVector;

/// Rotates heads in float arrays to a position, or back from it. Thread-safe.
public final class Rotation {
    private final FloatRows cosines;
    private final FloatRows sines;
    private final int positions;
    private final int half;
    private final boolean interleaved;
    private final float backFactor;

    public Rotation(Rotary rotary) {
        cosines = new FloatRows(rotary.cosines());
        sines = new FloatRows(rotary.sines());
        positions = rotary.positions();
        half = rotary.rotaryDim() / 2;
        interleaved = rotary.interleaved();
        backFactor = (float) (1 / (rotary.scaling() * rotary.scaling()));
    }

    /// Length of the table that [#forward] and [#back] fill and [#turn] reads.
    public int tableLength() {
        return 2 * half;
    }

    /// Fills `table` with the cosines and sines that rotate a head to `position`.
    ///
    /// @throws IllegalArgumentException if the tables do not cover `position`
    public void forward(int position, float[] table) {
        if (position < 0 || position >= positions) {
            throw new IllegalArgumentException("position " + position + " has no rotation; the tables cover 0 until "
                    + positions + ". Make them as long as the context");
        }
        cosines.load((long) position * half, table, 0, half);
        sines.load((long) position * half, table, half, half);
    }

    /// Fills `table` with the cosines and sines that undo [#forward].
    public void back(int position, float[] table) {
        forward(position, table);
        VectorMath.scale(backFactor, table, 0, half);
        VectorMath.scale(-backFactor, table, half, half);
    }

    /// Rotates the head that starts at `values[at]`, in place.
    public void turn(float[] values, int at, float[] table) {
        if (interleaved) {
            turnNeighbours(values, at, table);
        } else {
            turnHalves(values, at, table);
        }
    }

    private void turnHalves(float[] values, int at, float[] table) {
        int i = 0;
        for (; i <= half - VectorWidth.LANES; i += VectorWidth.LANES) {
            FloatVector x = VectorMath.vector(values, at + i);
            FloatVector y = VectorMath.vector(values, at + half + i);
            FloatVector cosine = VectorMath.vector(table, i);
            FloatVector sine = VectorMath.vector(table, half + i);
            x.mul(cosine).sub(y.mul(sine)).intoArray(values, at + i);
            x.mul(sine).add(y.mul(cosine)).intoArray(values, at + half + i);
        }
        for (; i < half; i++) {
            float x = values[at + i];
            float y = values[at + half + i];
            values[at + i] = x * table[i] - y * table[half + i];
            values[at + half + i] = x * table[half + i] + y * table[i];
        }
    }

    private void turnNeighbours(float[] values, int at, float[] table) {
        for (int i = 0; i < half; i++) {
            float x = values[at + 2 * i];
            float y = values[at + 2 * i + 1];
            values[at + 2 * i] = x * table[i] - y * table[half + i];
            values[at + 2 * i + 1] = x * table[half + i] + y * table[i];
        }
    }
}
