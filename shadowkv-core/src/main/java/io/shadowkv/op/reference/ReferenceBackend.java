package io.shadowkv.op.reference;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.host.HostBackend;
import io.shadowkv.op.host.HostMemoryProbe;
import io.shadowkv.op.host.HostMemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// The backend that others are checked against. Operations run synchronously on the calling thread,
/// in `double`.
public final class ReferenceBackend implements HostBackend, Operations {
    private final DenseOperations dense = new ReferenceDense();
    private final AttentionOperations attention = new ReferenceAttention();
    private final ShadowOperations shadow = new ReferenceShadow();
    private final SamplingOperations sampling = new ReferenceSampling();

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String description() {
        return "plain loops in double, one thread";
    }

    @Override
    public DType activationType(DType weightType) {
        return DType.F32;
    }

    @Override
    public Operations operations() {
        return this;
    }

    @Override
    public DenseOperations dense() {
        return dense;
    }

    @Override
    public AttentionOperations attention() {
        return attention;
    }

    @Override
    public ShadowOperations shadow() {
        return shadow;
    }

    @Override
    public SamplingOperations sampling() {
        return sampling;
    }

    @Override
    public MemoryScope newScope(String purpose) {
        return new HostMemoryScope(purpose);
    }

    @Override
    public Tensor place(Tensor host, MemoryScope scope) {
        return host;
    }

    @Override
    public boolean isHostDevice() {
        return true;
    }

    @Override
    public long availableBytes(Place place) {
        return HostMemoryProbe.availableBytes();
    }

    @Override
    public void synchronize() {
        // Every operation has finished when it returns.
    }

    @Override
    public void upload(int[] source, Tensor target) {
        if (target.dtype() != DType.I32 || target.elements() != source.length) {
            throw new IllegalArgumentException("cannot upload " + source.length + " ints to a tensor of "
                    + target.dtype() + " " + target.shape() + "; expected I32 and as many elements");
        }
        MemorySegment.copy(MemorySegment.ofArray(source), 0, target.segment(), 0, target.byteSize());
    }

    @Override
    public float[] download(Tensor source) {
        return Floats.toArray(source);
    }

    @Override
    public int[] downloadInts(Tensor source) {
        return Elements.readInts(source);
    }

    @Override
    public long[] downloadLongs(Tensor source) {
        return source.segment().toArray(JAVA_LONG_UNALIGNED);
    }

    @Override
    public void close() {
        // Scopes own the memory; there is nothing else to release.
    }
}
