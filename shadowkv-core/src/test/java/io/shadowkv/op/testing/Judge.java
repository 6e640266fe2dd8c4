package io.shadowkv.op.testing;

import io.shadowkv.op.Operations;
import io.shadowkv.op.reference.ReferenceBackend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;

/// The reference backend's side of a comparison: heap memory, outputs in double, so that results are exact.
public final class Judge implements Placement {
    private final Operations operations = new ReferenceBackend().operations();

    public Operations operations() {
        return operations;
    }

    @Override
    public Tensor input(Sample sample) {
        Tensor tensor = Sample.heap(sample.dtype(), sample.extents());
        Floats.fill(tensor, sample.values());
        return tensor;
    }

    @Override
    public Tensor state(Sample sample) {
        Tensor tensor = output(sample.extents());
        Floats.fill(tensor, sample.values());
        return tensor;
    }

    @Override
    public Tensor ints(int[] values, int... extents) {
        Tensor tensor = Sample.heap(DType.I32, extents);
        new ReferenceBackend().upload(values, tensor);
        return tensor;
    }

    @Override
    public Tensor longs(int count) {
        return Sample.heap(DType.I64, count);
    }

    public Tensor output(int... extents) {
        return Sample.heap(DType.F64, Shape.of(extents).toArray());
    }

    public static double[] values(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = Floats.get(tensor.dtype(), tensor.segment(), i);
        }
        return values;
    }
}
