package io.shadowkv.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Quantised rows come back with the error of their bits.
class BlockEncoderTest {
    private static float[] roundTrip(BlockFormat format, float[] row) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) format.rowBytes(row.length) + 1]);
        BlockEncoder.encode(format, row, bytes, 1);
        float[] back = new float[row.length];
        new BlockWeight(format, 1, row.length, new HostMemory(bytes), 1).decodeRow(0, back);
        return back;
    }

    /// @param most largest root of the mean squared error, as a share of the deviation: 8 bits 0.6 %, 4 bits with a
    ///     scale only 9 %, with an offset too 7.5 %
    @ParameterizedTest
    @CsvSource({"Q8_0, 0.007", "Q4_0, 0.092", "Q4_K, 0.078"})
    void losesWhatItsBitsLose(BlockFormat format, double most) {
        SplittableRandom random = new SplittableRandom(7);
        float[] row = new float[256 * 64];
        for (int i = 0; i < row.length; i++) {
            row[i] = (float) (0.02 * random.nextGaussian());
        }
        float[] back = roundTrip(format, row);
        double squares = 0;
        for (int i = 0; i < row.length; i++) {
            squares += Math.pow(row[i] - back[i], 2);
        }
        assertThat(Math.sqrt(squares / row.length) / 0.02).isLessThan(most).isGreaterThan(most / 2);
    }

    /// Zeros come back as zeros, and others within half a step of 4 bits.
    @ParameterizedTest
    @CsvSource({"Q8_0", "Q4_0", "Q4_K"})
    void keepsWhatItCanHold(BlockFormat format) {
        float[] zeros = new float[256];
        for (float back : roundTrip(format, zeros)) {
            assertThat(back == 0).isTrue();
        }
        float[] steps = new float[256];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = i % 8 - 4;
        }
        float[] back = roundTrip(format, steps);
        for (int i = 0; i < steps.length; i++) {
            assertThat((double) back[i]).isBetween(steps[i] - 0.24, steps[i] + 0.24);
        }
    }

    /// A row of positive numbers only needs no offset.
    @Test
    void positiveNumbersNeedNoOffset() {
        float[] row = new float[256];
        for (int i = 0; i < row.length; i++) {
            row[i] = i % 16 * 0.25f;
        }
        float[] back = roundTrip(BlockFormat.Q4_K, row);
        for (int i = 0; i < row.length; i++) {
            assertThat((double) back[i]).isBetween(row[i] - 0.01, row[i] + 0.01);
        }
    }

    /// A group of equal negative numbers has an offset and no scale.
    @Test
    void equalNegativeNumbersStay() {
        float[] row = new float[256];
        Arrays.fill(row, 64, 96, -0.5f);
        Arrays.fill(row, 128, 160, 0.25f);
        float[] back = roundTrip(BlockFormat.Q4_K, row);
        for (int i = 0; i < row.length; i++) {
            assertThat((double) back[i]).isBetween(row[i] - 0.01, row[i] + 0.01);
        }
    }

    /// A scale that overflows to infinity would make all weights of its block not-a-number.
    @ParameterizedTest
    @CsvSource({"Q8_0, 8400000", "Q4_0, 800000", "Q4_K, 70000000", "Q4_K, -5000000"})
    void refusesWeightsWhoseScaleIsTooLarge(BlockFormat format, float weight) {
        float[] row = new float[256];
        row[17] = weight;
        assertThatThrownBy(() -> roundTrip(format, row)).hasMessageContaining("larger than the 65504 that F16 holds");
        row[17] = weight / 10;
        assertThat(roundTrip(format, row)[17]).isFinite();
    }

    @Test
    void refusesWhatIsNotANumber() {
        float[] row = new float[256];
        row[17] = Float.POSITIVE_INFINITY;
        assertThatThrownBy(() -> roundTrip(BlockFormat.Q8_0, row)).hasMessageContaining("Infinity");
        row[17] = Float.NaN;
        assertThatThrownBy(() -> roundTrip(BlockFormat.Q4_K, row)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> roundTrip(BlockFormat.Q6_K, new float[256])).hasMessageContaining("Q6_K");
    }
}
