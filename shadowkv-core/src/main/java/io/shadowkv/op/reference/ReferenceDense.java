package io.shadowkv.op.reference;

import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.host.ExpertChoice;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The operations outside attention, written as their formulas.
final class ReferenceDense implements DenseOperations {
    /// The constant that SplitMix64 adds to its state before each output.
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    @Override
    public void embed(Tensor ids, Weight table, Tensor out) {
        int width = table.inputs();
        int[] wanted = Elements.readInts(ids);
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i] < 0 || wanted[i] >= table.outputs()) {
                throw new IllegalArgumentException("token id " + wanted[i] + " in row " + i
                        + " is outside the table of " + table.outputs() + " tokens");
            }
            Elements.write(out, (long) i * width, row(table, wanted[i]));
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out) {
        int width = x.extent(1);
        double[] weights = Elements.read(weight);
        for (int i = 0; i < x.extent(0); i++) {
            double[] row = Elements.read(x, (long) i * width, width);
            double squares = 0;
            for (double value : row) {
                squares += value * value;
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int j = 0; j < width; j++) {
                row[j] *= factor * weights[j];
            }
            Elements.write(out, (long) i * width, row);
        }
    }

    @Override
    public void linear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor out) {
        int rows = x.extent(0);
        int inputs = weight.inputs();
        int outputs = weight.outputs();
        double[] sources = Elements.read(x);
        double[] results = new double[Math.multiplyExact(rows, outputs)];
        double[] biases = bias == null ? new double[outputs] : Elements.read(bias);
        for (int o = 0; o < outputs; o++) {
            double[] weights = row(weight, o);
            for (int i = 0; i < rows; i++) {
                double sum = 0;
                for (int j = 0; j < inputs; j++) {
                    sum += sources[i * inputs + j] * weights[j];
                }
                results[i * outputs + o] = sum + biases[o];
            }
        }
        Elements.write(out, 0, results);
    }

    private static double[] row(Weight weight, int index) {
        float[] decoded = new float[weight.inputs()];
        weight.decodeRow(index, decoded);
        double[] row = new double[decoded.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = decoded[i];
        }
        return row;
    }

    @Override
    public void argmax(Tensor logits, Tensor ids) {
        int width = logits.extent(1);
        for (int i = 0; i < logits.extent(0); i++) {
            double[] row = Elements.read(logits, (long) i * width, width);
            int best = 0;
            boolean isOrdered = true;
            for (int j = 0; j < width; j++) {
                isOrdered &= !Double.isNaN(row[j]);
                best = row[j] > row[best] ? j : best;
            }
            Elements.writeInt(ids, i, isOrdered && Double.isFinite(row[best]) ? best : -1);
        }
    }

    @Override
    public void fillNormal(Tensor target, long seed, double deviation) {
        MemorySegment segment = target.segment();
        for (long i = 0; i < target.elements(); i++) {
            long bits = splitMix(seed + (i + 1) * GOLDEN_GAMMA);
            double u = ((bits >>> Integer.SIZE) + 0.5) * 0x1p-32;
            double v = ((bits & 0xFFFF_FFFFL) + 0.5) * 0x1p-32;
            double normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
            Floats.set(target.dtype(), segment, i, deviation * normal);
        }
    }

    /// SplitMix64's output for a state.
    private static long splitMix(long state) {
        long mixed = (state ^ state >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }

    @Override
    public void add(Tensor target, Tensor source) {
        double[] sums = Elements.read(target);
        double[] added = Elements.read(source);
        for (int i = 0; i < sums.length; i++) {
            sums[i] += added[i];
        }
        Elements.write(target, 0, sums);
    }

    @Override
    public void scale(Tensor x, double factor) {
        scale(x, 0, x.elements(), (float) factor);
    }

    @Override
    public void scaleRows(Tensor x, Tensor at, Tensor factors) {
        int rows = x.extent(0);
        double[] all = Elements.read(factors);
        for (int i = 0; i < rows; i++) {
            long width = x.elements() / rows;
            scale(x, i * width, width, all[Elements.readInt(at, i)]);
        }
    }

    private static void scale(Tensor x, long from, long count, double factor) {
        double[] values = Elements.read(x, from, Math.toIntExact(count));
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
        Elements.write(x, from, values);
    }

    @Override
    public void addRows(Tensor target, Tensor at, Tensor source) {
        int width = source.extent(1);
        for (int i = 0; i < source.extent(0); i++) {
            long to = (long) Elements.readInt(at, i) * width;
            double[] sums = Elements.read(target, to, width);
            double[] added = Elements.read(source, (long) i * width, width);
            for (int j = 0; j < width; j++) {
                sums[j] += added[j];
            }
            Elements.write(target, to, sums);
        }
    }

    @Override
    public void chooseExperts(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares) {
        ExpertChoice.choose(logits, isNormalised, ids, shares);
    }

    @Override
    public void gatedSilu(Tensor gate, Tensor up) {
        double[] gates = Elements.read(gate);
        double[] ups = Elements.read(up);
        for (int i = 0; i < gates.length; i++) {
            gates[i] *= ups[i] / (1 + Math.exp(-gates[i]));
        }
        Elements.write(gate, 0, gates);
    }

    @Override
    public void rotate(Tensor x, Tensor positions, Rotary rotary) {
        int heads = x.extent(1);
        int headDim = x.extent(2);
        for (int i = 0; i < x.extent(0); i++) {
            var rotation = new Rotation(rotary, Elements.readInt(positions, i));
            long from = (long) i * heads * headDim;
            double[] row = Elements.read(x, from, heads * headDim);
            for (int h = 0; h < heads; h++) {
                rotation.forward(row, h * headDim);
            }
            Elements.write(x, from, row);
        }
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        if (source.elements() != target.elements()) {
            throw new IllegalArgumentException("cannot copy " + source.shape() + " to " + target.shape() + ": "
                    + source.elements() + " elements, not " + target.elements());
        }
        if (source.dtype() == target.dtype()) {
            target.segment().copyFrom(source.segment());
        } else {
            Elements.write(target, 0, Elements.read(source));
        }
    }
}
