package io.shadowkv.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.shadowkv.cuda.attention.CudaAttention;
import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.CudaStopwatch;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.cuda.device.RateMeter;
import io.shadowkv.cuda.device.SideWork;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.PendingFetches;
import io.shadowkv.cuda.launch.SlotMirrors;
import io.shadowkv.cuda.linear.CudaDense;
import io.shadowkv.cuda.sampling.CudaSampling;
import io.shadowkv.cuda.shadow.CudaShadow;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.Stopwatch;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Computes on one NVIDIA GPU. Operations enqueue kernels on the calling thread's queue.
final class CudaBackend implements Backend, Operations {
    /// Device memory kept free for kernels, the libraries' work space and scratch buffers.
    private static final long RESERVE_BYTES = 384L << 20;

    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final SideWork sideWork;
    private final CudaScope workScope;
    private final PendingFetches pendingFetches;
    private final CudaDense dense;
    private final CudaAttention attention;
    private final CudaShadow shadow;
    private final CudaSampling sampling;
    private final MemoryRates rates;

    CudaBackend(BackendOptions options) {
        this(CudaContext.open(options));
    }

    private CudaBackend(CudaContext context) {
        this.context = context;
        this.pinnedPool = new PinnedPool(context);
        this.sideWork = new SideWork(context, context.sideQueue(), "shadowkv-cuda-side");
        this.workScope = new CudaScope("the backend's own buffers", context, pinnedPool);
        this.pendingFetches = new PendingFetches(context);
        var parts =
                new CudaParts(context, new SlotMirrors(context, pinnedPool), this::newScope, workScope, pendingFetches);
        this.dense = new CudaDense(parts);
        this.attention = new CudaAttention(parts);
        this.shadow = new CudaShadow(parts);
        this.sampling = new CudaSampling(parts);
        this.rates = new RateMeter(context).measure(pinnedPool);
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String description() {
        int driver = context.driver().cuDriverGetVersion();
        return "%s, compute capability %d.%d, %d multiprocessors, %.1f GiB, driver for CUDA %d.%d%s"
                .formatted(
                        context.name(),
                        context.computeCapability() / 10,
                        context.computeCapability() % 10,
                        context.allMultiprocessors(),
                        context.memory()[1] / 0x1p30,
                        driver / 1000,
                        driver % 1000 / 10,
                        kernels());
    }

    /// A note if the device uses other kernels than the tuned ones.
    private String kernels() {
        return context.isHopper() ? "" : ", kernels for compute capability 8.0 (tuned ones exist for 9.0 only)";
    }

    @Override
    public DType activationType(DType weightType) {
        return weightType == DType.BF16 || weightType == DType.F16 ? weightType : DType.F32;
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
        return new CudaScope(purpose, context, pinnedPool);
    }

    @Override
    public MemoryScope newScope(String purpose, long deviceBytes) {
        return new CudaScope(purpose, deviceBytes, context, pinnedPool);
    }

    @Override
    public Tensor place(Tensor host, MemoryScope scope) {
        Tensor placed = scope.allocate(host.dtype(), host.shape().toArray());
        MemorySegment bytes = host.segment();
        try (Arena arena = Arena.ofConfined()) {
            // When the call returns, the driver has read pageable memory. It cannot read the Java
            // heap.
            MemorySegment source = bytes.isNative()
                    ? bytes
                    : arena.allocate(Math.max(1, bytes.byteSize()), 8).copyFrom(bytes);
            context.queue().copy(context.address(placed), source.address(), host.byteSize());
        }
        return placed;
    }

    @Override
    public @Nullable Weight placeQuantised(Weight host, MemoryScope scope) {
        return dense.placeQuantised(host, scope);
    }

    @Override
    public boolean isHostDevice() {
        return false;
    }

    @Override
    public long availableBytes(Place place) {
        return place == Place.DEVICE ? Math.max(0, context.memory()[0] - RESERVE_BYTES) : pinnedPool.availableBytes();
    }

    @Override
    public MemoryRates rates() {
        return rates;
    }

    /// Enough rows to keep tensor cores busy; their activations take 0.8 GB for a model of 8
    /// billion weights.
    @Override
    public int prefillRows() {
        return 8192;
    }

    /// Exact up to 8 rows, where each row adds cost; multiples of 4, 8 and 16 above.
    @Override
    public int rowBucket(int rows) {
        int step = rows <= 8 ? 1 : rows <= 32 ? 4 : rows <= 128 ? 8 : 16;
        return Math.ceilDiv(rows, step) * step;
    }

    @Override
    public void replay(Object key, Runnable step) {
        context.recordings().replay(key, step);
    }

    @Override
    public boolean hasSideQueue() {
        return true;
    }

    @Override
    public Ticket aside(Runnable work) {
        return sideWork.enqueue(work);
    }

    @Override
    public boolean isDivisible() {
        return context.isDivisible();
    }

    @Override
    public void divide(double readingShare) {
        context.divide(readingShare, sideWork);
    }

    @Override
    public Ticket enqueueReading(Runnable work) {
        return context.division().reading().enqueue(work);
    }

    @Override
    public Stopwatch<?> newStopwatch() {
        return new CudaStopwatch(context);
    }

    @Override
    public void synchronize() {
        pendingFetches.joinAll(context.queue());
        context.queue().synchronize();
    }

    @Override
    public void upload(int[] source, Tensor target) {
        if (target.dtype() != DType.I32 || target.elements() != source.length) {
            throw new IllegalArgumentException("cannot upload " + source.length + " ints to a tensor of "
                    + target.dtype() + " " + target.shape() + "; expected I32 and the same number of elements");
        }
        // When the call returns, the driver has read pageable memory.
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ints = arena.allocateFrom(JAVA_INT, source);
            context.queue().copy(context.address(target), ints.address(), target.byteSize());
        }
    }

    @Override
    public float[] download(Tensor source) {
        try (Arena arena = Arena.ofConfined()) {
            return Floats.toArray(onHost(source, arena));
        }
    }

    @Override
    public int[] downloadInts(Tensor source) {
        expect(source, DType.I32);
        try (Arena arena = Arena.ofConfined()) {
            return onHost(source, arena).segment().toArray(JAVA_INT);
        }
    }

    @Override
    public long[] downloadLongs(Tensor source) {
        expect(source, DType.I64);
        try (Arena arena = Arena.ofConfined()) {
            return onHost(source, arena).segment().toArray(JAVA_LONG);
        }
    }

    /// The tensor on the host, after all work on it has ended.
    private Tensor onHost(Tensor source, Arena arena) {
        pendingFetches.joinAll(context.queue());
        if (source.memory() instanceof HostMemory) {
            context.queue().synchronize();
            return source;
        }
        MemorySegment bytes = arena.allocate(Math.max(1, source.byteSize()), 8);
        // A copy to memory that is not page-locked holds a lock of the driver until the queue has come to
        // it, and copies of other threads wait meanwhile.
        context.queue().synchronize();
        context.queue().copy(bytes.address(), context.address(source), source.byteSize());
        context.queue().synchronize();
        return Tensor.of(source.dtype(), source.shape(), bytes);
    }

    private static void expect(Tensor tensor, DType dtype) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException("cannot read " + tensor.dtype() + " " + tensor.shape() + " as " + dtype
                    + "; expected a tensor of that type");
        }
    }

    @Override
    public void close() {
        sideWork.close();
        attention.close();
        shadow.close();
        sampling.close();
        dense.close();
        pendingFetches.close();
        workScope.close();
        pinnedPool.close();
        context.close();
    }
}
