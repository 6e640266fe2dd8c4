package io.shadowkv.cpu.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.Elementwise;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.NormalNumbers;
import io.shadowkv.cpu.vector.Rotation;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.host.ExpertChoice;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The operations outside attention. Each row is widened to floats, processed in the cache, and
/// stored.
public final class CpuDense implements DenseOperations {
    /// Minimum number of elements for which waking a thread pays off.
    private static final int GRAIN_ELEMENTS = 16 * 1024;

    private final WorkerPool pool;
    private final Gemm gemm;
    private final SkinnyLinear skinny;

    public CpuDense(WorkerPool pool) {
        this.pool = pool;
        gemm = new Gemm(pool);
        skinny = new SkinnyLinear(pool);
    }

    @Override
    public void embed(Tensor ids, Weight table, Tensor out) {
        int width = table.inputs();
        int[] wanted = ints(ids);
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i] < 0 || wanted[i] >= table.outputs()) {
                throw new IllegalArgumentException("token id " + wanted[i] + " in row " + i
                        + " is outside the table of " + table.outputs() + " tokens");
            }
        }
        var target = new FloatRows(out);
        if (table instanceof Tensor plain) {
            var source = new FloatRows(plain);
            eachRow(
                    wanted.length,
                    width,
                    (i, scratch) -> source.copyTo(
                            (long) wanted[i] * width, target, (long) i * width, width, scratch.floats(Use.ROW, width)));
            return;
        }
        WeightRows source = WeightRows.of(table);
        eachRow(wanted.length, width, (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            source.load(wanted[i], 0, row, 0, width);
            target.store(row, 0, (long) i * width, width);
        });
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, double epsilon, Tensor out) {
        int width = x.extent(1);
        var source = new FloatRows(x);
        var target = new FloatRows(out);
        float[] weights = new float[width];
        new FloatRows(weight).load(0, weights, 0, width);
        eachRow(x.extent(0), width, (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            source.load((long) i * width, row, 0, width);
            double squares = VectorMath.dot(row, 0, row, 0, width);
            float factor = (float) (1 / Math.sqrt(squares / width + epsilon));
            Elementwise.scaleBy(row, factor, weights, width);
            target.store(row, 0, (long) i * width, width);
        });
    }

    @Override
    public void linear(Tensor x, Weight weight, @Nullable Tensor bias, Tensor out) {
        var sizes = new Gemm.Sizes(x.extent(0), weight.inputs(), weight.outputs());
        if (x.extent(1) != sizes.inputs() || out.extent(0) != sizes.rows() || out.extent(1) != sizes.outputs()) {
            throw new IllegalArgumentException("cannot multiply " + x.shape() + " by the transpose of ["
                    + weight.outputs() + ", " + weight.inputs() + "]"
                    + " into " + out.shape() + "; expected [r, in], [out, in] and [r, out]");
        }
        FloatRows biases = bias == null ? null : new FloatRows(bias);
        if (sizes.rows() <= SkinnyLinear.MAX_ROWS) {
            skinny.multiply(new FloatRows(x), weight, biases, new FloatRows(out), sizes);
        } else {
            gemm.multiply(new FloatRows(x), WeightRows.of(weight), biases, new FloatRows(out), sizes);
        }
    }

    @Override
    public void argmax(Tensor logits, Tensor ids) {
        int width = logits.extent(1);
        var source = new FloatRows(logits);
        MemorySegment found = ids.segment();
        pool.each(logits.extent(0), (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            source.load((long) i * width, row, 0, width);
            found.set(JAVA_INT_UNALIGNED, (long) i * Integer.BYTES, indexOfLargest(row, width));
        });
    }

    /// The lowest index if several are equal; -1 if there is a NaN or the largest is not finite.
    private static int indexOfLargest(float[] row, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        int index = -1;
        for (int j = 0; j < count; j++) {
            if (Float.isNaN(row[j])) {
                return -1;
            }
            if (row[j] > largest) {
                largest = row[j];
                index = j;
            }
        }
        return largest == Float.POSITIVE_INFINITY ? -1 : index;
    }

    @Override
    public void fillNormal(Tensor target, long seed, double deviation) {
        var elements = new FloatRows(target);
        eachStretch(target.elements(), (from, count, scratch) -> {
            float[] values = scratch.floats(Use.ROW, count);
            NormalNumbers.fill(values, count, from, seed, deviation);
            elements.store(values, 0, from, count);
        });
    }

    @Override
    public void add(Tensor target, Tensor source) {
        inPlace(target, source, Elementwise::add);
    }

    @Override
    public void scale(Tensor x, double factor) {
        var rows = new FloatRows(x);
        eachStretch(x.elements(), (from, count, scratch) -> {
            float[] values = scratch.floats(Use.ROW, count);
            rows.load(from, values, 0, count);
            Elementwise.scale(values, (float) factor, count);
            rows.store(values, 0, from, count);
        });
    }

    @Override
    public void scaleRows(Tensor x, Tensor at, Tensor factors) {
        int count = x.extent(0);
        int width = count == 0 ? 0 : Math.toIntExact(x.elements() / count);
        int[] places = ints(at);
        float[] all = new float[Math.toIntExact(factors.elements())];
        new FloatRows(factors).load(0, all, 0, all.length);
        var rows = new FloatRows(x);
        eachRow(count, width, (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            rows.load((long) i * width, row, 0, width);
            Elementwise.scale(row, all[places[i]], width);
            rows.store(row, 0, (long) i * width, width);
        });
    }

    @Override
    public void addRows(Tensor target, Tensor at, Tensor source) {
        int width = source.extent(1);
        int[] places = ints(at);
        var inputs = new FloatRows(source);
        var results = new FloatRows(target);
        eachRow(source.extent(0), width, (i, scratch) -> {
            float[] sum = scratch.floats(Use.ROW, width);
            float[] added = scratch.floats(Use.SECOND_ROW, width);
            results.load((long) places[i] * width, sum, 0, width);
            inputs.load((long) i * width, added, 0, width);
            Elementwise.add(sum, added, width);
            results.store(sum, 0, (long) places[i] * width, width);
        });
    }

    @Override
    public void chooseExperts(Tensor logits, boolean isNormalised, Tensor ids, Tensor shares) {
        ExpertChoice.choose(logits, isNormalised, ids, shares);
    }

    @Override
    public void gatedSilu(Tensor gate, Tensor up) {
        inPlace(gate, up, Elementwise::gate);
    }

    private void inPlace(Tensor target, Tensor source, ElementwiseKernel kernel) {
        if (source.elements() != target.elements()) {
            throw mismatch(source, target);
        }
        var inputs = new FloatRows(source);
        var results = new FloatRows(target);
        eachStretch(target.elements(), (from, count, scratch) -> {
            float[] values = scratch.floats(Use.ROW, count);
            float[] others = scratch.floats(Use.SECOND_ROW, count);
            results.load(from, values, 0, count);
            inputs.load(from, others, 0, count);
            kernel.apply(values, others, count);
            results.store(values, 0, from, count);
        });
    }

    @Override
    public void rotate(Tensor x, Tensor positions, Rotary rotary) {
        int headDim = x.extent(2);
        int width = x.extent(1) * headDim;
        int[] places = ints(positions);
        var rotation = new Rotation(rotary);
        var rows = new FloatRows(x);
        eachRow(x.extent(0), width, (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            float[] table = scratch.floats(Use.SECOND_ROW, rotation.tableLength());
            rotation.forward(places[i], table);
            rows.load((long) i * width, row, 0, width);
            for (int at = 0; at < width; at += headDim) {
                rotation.turn(row, at, table);
            }
            rows.store(row, 0, (long) i * width, width);
        });
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        if (source.elements() != target.elements()) {
            throw mismatch(source, target);
        }
        if (source.dtype() == target.dtype()) {
            target.segment().copyFrom(source.segment());
            return;
        }
        var from = new FloatRows(source);
        var to = new FloatRows(target);
        eachStretch(
                source.elements(),
                (at, count, scratch) -> from.copyTo(at, to, at, count, scratch.floats(Use.ROW, count)));
    }

    private static IllegalArgumentException mismatch(Tensor source, Tensor target) {
        return new IllegalArgumentException("cannot combine " + source.shape() + " with " + target.shape() + ": "
                + source.elements() + " elements, not " + target.elements());
    }

    private static int[] ints(Tensor tensor) {
        if (tensor.dtype() != DType.I32) {
            throw new IllegalArgumentException("indices are " + tensor.dtype() + "; expected I32");
        }
        return tensor.segment().toArray(JAVA_INT_UNALIGNED);
    }

    private void eachRow(int rows, int width, WorkerPool.Task task) {
        pool.ranges(rows, Math.max(1, GRAIN_ELEMENTS / Math.max(1, width)), (from, to, scratch) -> {
            for (int i = from; i < to; i++) {
                task.run(i, scratch);
            }
        });
    }

    private void eachStretch(long elements, Stretch task) {
        int stretches = Math.toIntExact(Math.ceilDiv(elements, (long) GRAIN_ELEMENTS));
        pool.each(stretches, (i, scratch) -> {
            long from = (long) i * GRAIN_ELEMENTS;
            task.run(from, (int) Math.min(GRAIN_ELEMENTS, elements - from), scratch);
        });
    }

    private interface Stretch {
        void run(long from, int count, Scratch scratch);
    }

    private interface ElementwiseKernel {
        void apply(float[] target, float[] source, int count);
    }
}
