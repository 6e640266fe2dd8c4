package io.shadowkv.op.testing;

import io.shadowkv.tensor.HostMemory;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// One case on the backend under test. Every tensor is a view into the middle of a larger one: [#close] checks
/// that the elements around it, and all of an input, are as they were. Around inputs stand NaNs, so that
/// reading too far shows.
public final class Workbench implements Placement, AutoCloseable {
    private static final float FLOAT_GUARD = -7.75f;
    private static final int INT_GUARD = 0x5AFE_CAFE;
    private static final byte CODE_GUARD = 0x5A;

    private final Backend backend;
    private final String description;
    private final DType activationType;
    private final int guard;
    private final MemoryScope scope;
    private final SplittableRandom random;
    private final List<Runnable> checks = new ArrayList<>();

    /// @param activationType type of the activations in this case
    /// @param description the case in words; its hash is the seed
    /// @param guard elements before and after each view
    public Workbench(Backend backend, DType activationType, String description, int guard) {
        this.activationType = activationType;
        this.backend = backend;
        this.description = description + " [seed " + description.hashCode() + "]";
        this.guard = guard;
        scope = backend.newScope(description);
        random = new SplittableRandom(description.hashCode());
    }

    public String description() {
        return description;
    }

    public SplittableRandom random() {
        return random;
    }

    public Operations operations() {
        return backend.operations();
    }

    public DType activationType() {
        return activationType;
    }

    /// Normally distributed values around 0, deviation 1.
    public Sample normal(DType dtype, int... extents) {
        float[] values = new float[Math.toIntExact(Shape.of(extents).elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Sample.of(dtype, values, extents);
    }

    @Override
    public Tensor input(Sample sample) {
        return input(Backend.Place.DEVICE, sample);
    }

    public Tensor input(Backend.Place place, Sample sample) {
        float[] surrounded = surround(sample.values(), Float.NaN);
        Tensor whole = allocate(place, sample.dtype(), surrounded);
        String what = description + ": input " + Arrays.toString(sample.extents()) + " and the elements around it";
        checks.add(() -> Exactly.same(what, surrounded, backend.download(whole)));
        return middle(whole, sample.extents());
    }

    /// A quantised weight in the backend's form. If the backend has no kernel for it, its numbers in F32.
    public Weight weight(Weight host) {
        Weight placed = backend.placeQuantised(host, scope);
        return placed == null
                ? input(Sample.of(DType.F32, RandomBlocks.decoded(host), host.outputs(), host.inputs()))
                : placed;
    }

    @Override
    public Tensor state(Sample sample) {
        float[] surrounded = surround(sample.values(), FLOAT_GUARD);
        Tensor whole = allocate(Backend.Place.DEVICE, sample.dtype(), surrounded);
        Tensor view = middle(whole, sample.extents());
        checks.add(() -> {
            float[] now = backend.download(whole);
            float[] expected = surround(Arrays.copyOfRange(now, guard, now.length - guard), FLOAT_GUARD);
            Exactly.same(description + ": elements around " + view.shape(), expected, now);
        });
        return view;
    }

    /// A tensor that an operation is to fill, poisoned with NaN.
    public Tensor output(DType dtype, int... extents) {
        return state(Sample.filled(dtype, Float.NaN, extents));
    }

    @Override
    public Tensor ints(int[] values, int... extents) {
        int[] surrounded = new int[values.length + 2 * guard];
        Arrays.fill(surrounded, INT_GUARD);
        System.arraycopy(values, 0, surrounded, guard, values.length);
        Tensor whole = scope.allocate(DType.I32, surrounded.length);
        backend.upload(surrounded, whole);
        Tensor view = middle(whole, extents);
        checks.add(() -> {
            int[] now = backend.downloadInts(whole);
            System.arraycopy(now, guard, surrounded, guard, values.length);
            Exactly.same(description + ": ints around " + view.shape(), surrounded, now);
        });
        return view;
    }

    /// I32 that an operation is to fill.
    public Tensor intOutput(int... extents) {
        int[] poison = new int[Math.toIntExact(Shape.of(extents).elements())];
        Arrays.fill(poison, INT_GUARD);
        return ints(poison, extents);
    }

    @Override
    public Tensor longs(int count) {
        return scope.allocate(DType.I64, count);
    }

    /// The same layer with its values in several extents.
    ///
    /// @param first tokens of the first extent, a multiple of the unit
    /// @param further tokens of the extents after it, a multiple of the unit; the last may have fewer
    public IndexedLayer inExtents(IndexedLayer layer, int first, int further) {
        IndexedLayer.StoredValues.Extent all = layer.stored().first();
        List<IndexedLayer.StoredValues.Extent> extents = new ArrayList<>();
        for (int from = first; from < all.tokens(); from += further) {
            extents.add(part(all, from, Math.min(further, all.tokens() - from)));
        }
        return new IndexedLayer(
                layer.index(),
                layer.keys(),
                new IndexedLayer.StoredValues(part(all, 0, first), extents),
                layer.residency());
    }

    private IndexedLayer.StoredValues.Extent part(IndexedLayer.StoredValues.Extent all, int from, int count) {
        Tensor scales = all.scales();
        return new IndexedLayer.StoredValues.Extent(
                part(all.values(), from, count), scales == null ? null : part(scales, from, count));
    }

    private Tensor part(Tensor source, int from, int count) {
        int[] extents = source.shape().toArray();
        extents[1] = count;
        Backend.Place place = source.memory() instanceof HostMemory ? Backend.Place.HOST : Backend.Place.DEVICE;
        Tensor part = scope.allocate(place, source.dtype(), extents);
        for (int h = 0; h < extents[0] && count > 0; h++) {
            operations().dense().copy(source.row(h).slice(from, count), part.row(h));
        }
        return part;
    }

    public float[] values(Tensor tensor) {
        return backend.download(tensor);
    }

    public int[] intValues(Tensor tensor) {
        return backend.downloadInts(tensor);
    }

    public long[] longValues(Tensor tensor) {
        return backend.downloadLongs(tensor);
    }

    /// Codes of quantised values, I8 or F8E4M3, which an operation may change.
    public Tensor codes(Backend.Place place, DType dtype, byte[] values, int... extents) {
        byte[] surrounded = new byte[values.length + 2 * guard];
        Arrays.fill(surrounded, CODE_GUARD);
        System.arraycopy(values, 0, surrounded, guard, values.length);
        Tensor whole = scope.allocate(place, dtype, surrounded.length);
        Tensor staging = scope.allocate(Backend.Place.HOST, dtype, surrounded.length);
        staging.segment().copyFrom(MemorySegment.ofArray(surrounded));
        operations().dense().copy(staging, whole);
        Tensor view = middle(whole, extents);
        checks.add(() -> {
            byte[] now = codeValues(whole);
            System.arraycopy(now, guard, surrounded, guard, values.length);
            Exactly.same(description + ": codes around " + view.shape(), surrounded, now);
        });
        return view;
    }

    /// Codes come to the host by a copy between places, which moves elements of any type.
    public byte[] codeValues(Tensor tensor) {
        Tensor host = scope.allocate(Backend.Place.HOST, tensor.dtype(), Math.toIntExact(tensor.elements()));
        operations().dense().copy(tensor, host);
        backend.synchronize();
        return host.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    /// Overwrites a tensor of this bench.
    public void refill(Tensor target, float[] values) {
        Tensor staging = scope.allocate(Backend.Place.HOST, DType.F32, values.length);
        Floats.fill(staging, values);
        operations().dense().copy(staging, target);
    }

    private Tensor allocate(Backend.Place place, DType dtype, float[] values) {
        Tensor whole = scope.allocate(place, dtype, values.length);
        refill(whole, values);
        return whole;
    }

    private Tensor middle(Tensor whole, int... extents) {
        long offset = whole.byteOffset() + (long) guard * whole.dtype().bytes();
        return new Tensor(whole.dtype(), Shape.of(extents), whole.memory(), offset);
    }

    private float[] surround(float[] values, float with) {
        float[] surrounded = new float[values.length + 2 * guard];
        Arrays.fill(surrounded, with);
        System.arraycopy(values, 0, surrounded, guard, values.length);
        return surrounded;
    }

    /// Checks what surrounds the tensors, then frees them.
    @Override
    public void close() {
        try (scope) {
            backend.synchronize();
            checks.forEach(Runnable::run);
        }
    }
}
