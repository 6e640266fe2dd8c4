package io.shadowkv.op.testing;

import org.jspecify.annotations.Nullable;

/// The dense formulas as anyone would first write them: float, summed in order. Tolerances are measured against
/// this.
public final class PlainDense {
    private PlainDense() {}

    /// @param x [r, in]
    /// @param weight [out, in]
    public static float[] linear(float[] x, float[] weight, float @Nullable [] bias, int inputs) {
        int rows = x.length / inputs;
        int outputs = weight.length / inputs;
        float[] out = new float[rows * outputs];
        for (int i = 0; i < rows; i++) {
            for (int o = 0; o < outputs; o++) {
                float sum = 0;
                for (int j = 0; j < inputs; j++) {
                    sum += x[i * inputs + j] * weight[o * inputs + j];
                }
                out[i * outputs + o] = bias == null ? sum : sum + bias[o];
            }
        }
        return out;
    }

    public static float[] rmsNorm(float[] x, float[] weight, float epsilon) {
        int width = weight.length;
        float[] out = new float[x.length];
        for (int from = 0; from < x.length; from += width) {
            float squares = 0;
            for (int j = 0; j < width; j++) {
                squares += x[from + j] * x[from + j];
            }
            float factor = 1 / (float) Math.sqrt(squares / width + epsilon);
            for (int j = 0; j < width; j++) {
                out[from + j] = x[from + j] * factor * weight[j];
            }
        }
        return out;
    }

    public static float[] gatedSilu(float[] gate, float[] up) {
        float[] out = new float[gate.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = gate[i] / (1 + (float) Math.exp(-gate[i])) * up[i];
        }
        return out;
    }

    /// @param x [r, heads, headDim]
    public static float[] rotate(float[] x, int[] positions, int headDim, RotaryTable table) {
        float[] out = x.clone();
        int rowSize = x.length / positions.length;
        for (int i = 0; i < positions.length; i++) {
            for (int at = i * rowSize; at < (i + 1) * rowSize; at += headDim) {
                rotateHead(out, at, positions[i], table, 1);
            }
        }
        return out;
    }

    /// Rotates one head in place; `direction` is 1, or -1 for back.
    public static void rotateHead(float[] values, int at, int position, RotaryTable table, int direction) {
        int half = table.rotaryDim() / 2;
        float factor = direction > 0 ? 1 : (float) (1 / (table.scaling() * table.scaling()));
        for (int i = 0; i < half; i++) {
            int first = at + (table.interleaved() ? 2 * i : i);
            int second = table.interleaved() ? first + 1 : first + half;
            float cosine = table.cosines().values()[position * half + i];
            float sine = table.sines().values()[position * half + i] * direction;
            float x = values[first];
            float y = values[second];
            values[first] = (x * cosine - y * sine) * factor;
            values[second] = (y * cosine + x * sine) * factor;
        }
    }
}
