package io.shadowkv.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.shadowkv.cpu.attention.CpuAttention;
import io.shadowkv.cpu.linear.CpuDense;
import io.shadowkv.cpu.sampling.CpuSampling;
import io.shadowkv.cpu.shadow.CpuShadow;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.host.HostBackend;
import io.shadowkv.op.host.HostMemoryProbe;
import io.shadowkv.op.host.HostMemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The backend that computes on the processor. An operation has finished when its call returns.
///
/// Public only so that it can be defined again for another vector width. Open it through
/// [CpuBackendProvider].
public final class CpuBackend implements HostBackend, Operations {
    private final WorkerPool pool;
    private final @Nullable Path offloadFolder;
    private final DenseOperations dense;
    private final AttentionOperations attention;
    private final ShadowOperations shadow;
    private final SamplingOperations sampling;

    /// @param options threads and offload folder; the vector width is that of this copy of the
    ///     class
    public CpuBackend(BackendOptions options) {
        pool = new WorkerPool(
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors());
        offloadFolder = options.offloadFolder();
        dense = new CpuDense(pool);
        attention = new CpuAttention(pool);
        shadow = new CpuShadow(pool);
        sampling = new CpuSampling(pool);
    }

    static String describe(int bits, int threads) {
        return bits / Float.SIZE + " × float lanes (" + bits + "-bit), " + threads
                + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        return describe(VectorWidth.bits(), pool.threads());
    }

    @Override
    public DType activationType(DType weightType) {
        return DType.F32;
    }

    @Override
    public boolean isHostDevice() {
        return true;
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
        return new HostMemoryScope(purpose, offloadFolder);
    }

    @Override
    public Tensor place(Tensor host, MemoryScope scope) {
        return host;
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
        MemorySegment.copy(source, 0, target.segment(), JAVA_INT_UNALIGNED, 0, source.length);
    }

    @Override
    public float[] download(Tensor source) {
        float[] values = new float[Math.toIntExact(source.elements())];
        new FloatRows(source).load(0, values, 0, values.length);
        return values;
    }

    @Override
    public int[] downloadInts(Tensor source) {
        expect(source, DType.I32);
        return source.segment().toArray(JAVA_INT_UNALIGNED);
    }

    @Override
    public long[] downloadLongs(Tensor source) {
        expect(source, DType.I64);
        return source.segment().toArray(JAVA_LONG_UNALIGNED);
    }

    private static void expect(Tensor tensor, DType dtype) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException("cannot read " + tensor.dtype() + " " + tensor.shape() + " as " + dtype
                    + "; expected a tensor of that type");
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
