package io.shadowkv.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class FloatsTest {
    private static final int LARGEST = 0x7E;

    @Test
    void readsEveryCodeOfE4m3() {
        for (int code = 0; code < 256; code++) {
            float actual = Floats.fromE4m3((byte) code);
            if ((code & 0x7F) == 0x7F) {
                assertThat(actual).isNaN();
            } else {
                assertThat(actual).as("code %d", code).isEqualTo(number(code));
            }
        }
        assertThat(Floats.fromE4m3((byte) LARGEST)).isEqualTo(448);
        assertThat(Floats.fromE4m3((byte) 1)).isEqualTo(0x1p-9f);
        assertThat(Floats.fromE4m3((byte) 0x80)).isEqualTo(-0f);
    }

    @Test
    void writesEveryNumberOfE4m3AsItsCode() {
        for (int code = 0; code < 256; code++) {
            byte expected = (byte) code;
            assertThat(Floats.toE4m3(Floats.fromE4m3(expected)))
                    .as("code %d", code)
                    .isEqualTo((code & 0x7F) == 0x7F ? (byte) 0x7F : expected);
        }
    }

    @Test
    void roundsToTheNearerNeighbourAndTiesToTheEvenOne() {
        for (int code = 0; code < LARGEST; code++) {
            for (int sign : new int[] {0, 0x80}) {
                float low = number(code | sign);
                float high = number(code + 1 | sign);
                float middle = (low + high) / 2;
                int even = code % 2 == 0 ? code : code + 1;
                String what = "between " + low + " and " + high;
                assertThat(Floats.toE4m3(middle)).as(what).isEqualTo((byte) (even | sign));
                assertThat(Floats.toE4m3(towards(middle, low))).as(what).isEqualTo((byte) (code | sign));
                assertThat(Floats.toE4m3(towards(middle, high))).as(what).isEqualTo((byte) (code + 1 | sign));
            }
        }
    }

    @Test
    void saturatesAndKeepsNans() {
        for (float value : new float[] {449, 463.9f, 464, 480, 1e30f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
            assertThat(Floats.toE4m3(value)).as("%s", value).isEqualTo((byte) LARGEST);
            assertThat(Floats.toE4m3(-value)).as("%s", -value).isEqualTo((byte) (LARGEST | 0x80));
        }
        assertThat(Floats.fromE4m3(Floats.toE4m3(Float.NaN))).isNaN();
        assertThat(Floats.toE4m3(Float.MIN_VALUE)).isZero();
        assertThat(Floats.toE4m3(-0f)).isEqualTo((byte) 0x80);
    }

    @Test
    void readsAndWritesElementsOfE4m3() {
        MemorySegment segment = MemorySegment.ofArray(new byte[3]);
        Floats.set(DType.F8E4M3, segment, 1, 1.07);
        assertThat(Floats.get(DType.F8E4M3, segment, 1)).isEqualTo(1.125);
        assertThat(Floats.get(DType.F8E4M3, segment, 2)).isZero();
    }

    private static float towards(float from, float to) {
        return Math.nextAfter(from, to);
    }

    /// Bias 7, three bits of mantissa, subnormals.
    private static float number(int code) {
        int exponent = code >> 3 & 15;
        double mantissa = (code & 7) / 8.0;
        double size = exponent == 0 ? mantissa * Math.pow(2, -6) : (1 + mantissa) * Math.pow(2, exponent - 7);
        return (float) (code < 128 ? size : -size);
    }
}
