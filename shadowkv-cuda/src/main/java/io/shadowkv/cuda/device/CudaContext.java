package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.CudaException;
import io.shadowkv.cuda.ffi.Driver;
import io.shadowkv.cuda.ffi.Nvrtc;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Memory;
import io.shadowkv.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An open device: its primary context, properties, queues and kernels.
///
/// Each thread that enqueues work has a current queue: the main queue, or the one given to
/// [#onQueue].
public final class CudaContext implements AutoCloseable {
    private static final int LEAST_COMPUTE_CAPABILITY = 80;
    private static final int MULTIPROCESSORS = 16;
    private static final int L2_BYTES = 38;
    private static final int CAPABILITY_MAJOR = 75;
    private static final int CAPABILITY_MINOR = 76;
    private static final int SHARED_BYTES_OPT_IN = 97;

    private final Driver driver;
    private final int device;
    private final long handle;
    private final String name;
    private final int computeCapability;
    private final int multiprocessors;
    private final int sharedBytesPerBlock;
    private final @Nullable Path libraryFolder;
    private final Kernels kernels;
    private final PinnedRanges pinned = new PinnedRanges();
    private final CudaQueue mainQueue;
    private final CudaQueue copyQueue;
    private final CudaQueue sideQueue;
    private final ThreadLocal<CudaQueue> currentQueue;
    private final Recordings recordings = new Recordings(this);
    /// By the share for reading.
    private final Map<Double, Division> divisions = new HashMap<>();

    private @Nullable Division division;
    private @Nullable Boolean isDivisible;

    private CudaContext(Driver driver, Nvrtc compiler, BackendOptions options) {
        this.driver = driver;
        this.device = driver.cuDeviceGet(options.device());
        this.name = driver.cuDeviceGetName(device);
        this.computeCapability = 10 * driver.cuDeviceGetAttribute(CAPABILITY_MAJOR, device)
                + driver.cuDeviceGetAttribute(CAPABILITY_MINOR, device);
        if (computeCapability < LEAST_COMPUTE_CAPABILITY) {
            throw new CudaException("%s has compute capability %d.%d; this engine needs 8.0 (Ampere) or newer"
                    .formatted(name, computeCapability / 10, computeCapability % 10));
        }
        this.multiprocessors = driver.cuDeviceGetAttribute(MULTIPROCESSORS, device);
        this.sharedBytesPerBlock = driver.cuDeviceGetAttribute(SHARED_BYTES_OPT_IN, device);
        this.libraryFolder = options.libraryFolder();
        this.handle = driver.cuDevicePrimaryCtxRetain(device);
        makeCurrent();
        this.kernels = new Kernels(this, compiler, options.kernelFolder());
        this.mainQueue = new CudaQueue(this, 0);
        // The copy queue has priority, so that the link does not wait for a free multiprocessor.
        this.copyQueue = new CudaQueue(this, -1);
        this.sideQueue = new CudaQueue(this, 0);
        this.currentQueue = ThreadLocal.withInitial(() -> mainQueue);
    }

    /// @throws io.shadowkv.cuda.ffi.NativeLibrary.LibraryMissingException if the driver or the
    ///     compiler is missing
    /// @throws CudaException if the device is missing or too old
    public static CudaContext open(BackendOptions options) {
        Driver driver = Driver.open(driverFolder(options));
        driver.cuInit();
        int count = driver.cuDeviceGetCount();
        if (options.device() >= count) {
            throw new CudaException("device " + options.device() + " was asked for; there "
                    + (count == 1 ? "is 1 device, number 0" : "are " + count + " devices, numbered from 0"));
        }
        return new CudaContext(driver, Nvrtc.open(options.libraryFolder()), options);
    }

    /// The driver belongs to the system and not to the toolkit, so a folder given for libraries may
    /// lack it.
    private static @Nullable Path driverFolder(BackendOptions options) {
        Path folder = options.libraryFolder();
        return folder != null && java.nio.file.Files.exists(folder.resolve("libcuda.so.1")) ? folder : null;
    }

    public Driver driver() {
        return driver;
    }

    public String name() {
        return name;
    }

    /// 10 · major + minor: 80 for A100, 90 for H100 and H200.
    public int computeCapability() {
        return computeCapability;
    }

    /// The architecture that kernels are compiled for, such as `sm_90a`.
    String architecture() {
        return "sm_" + computeCapability + (computeCapability >= 90 ? "a" : "");
    }

    public boolean isHopper() {
        return computeCapability == 90;
    }

    public int allMultiprocessors() {
        return multiprocessors;
    }

    /// Number of multiprocessors that work of the calling thread's queue runs on.
    public int multiprocessors() {
        return queue().multiprocessors();
    }

    int device() {
        return device;
    }

    /// True if the device can be divided. Used by the main queue's thread.
    public boolean isDivisible() {
        Boolean known = isDivisible;
        if (known == null) {
            known = Division.isPossible(this);
            isDivisible = known;
        }
        return known;
    }

    /// Divides the device from now on, or ends the division. Used by the main queue's thread.
    ///
    /// @param readingShare share of the multiprocessors for reading; 0 ends the division
    /// @param sideWork what uses the side queue
    public void divide(double readingShare, SideWork sideWork) {
        Division next =
                readingShare == 0 ? null : divisions.computeIfAbsent(readingShare, share -> Division.open(this, share));
        if (next != division) {
            division = next;
            mainQueue.moveTo(next == null ? null : next.main());
            copyQueue.moveTo(next == null ? null : next.copy());
            sideWork.moveTo(next == null ? null : next.side());
        }
    }

    /// @throws IllegalStateException if the device is not divided
    public Division division() {
        if (division == null) {
            throw new IllegalStateException("the device is not divided");
        }
        return division;
    }

    public int l2Bytes() {
        return driver.cuDeviceGetAttribute(L2_BYTES, device);
    }

    /// The largest shared memory of a block.
    public int sharedBytesPerBlock() {
        return sharedBytesPerBlock;
    }

    public @Nullable Path libraryFolder() {
        return libraryFolder;
    }

    public Kernels kernels() {
        return kernels;
    }

    public PinnedRanges pinned() {
        return pinned;
    }

    public Recordings recordings() {
        return recordings;
    }

    /// The queue of the calling thread.
    public CudaQueue queue() {
        return currentQueue.get();
    }

    public CudaQueue mainQueue() {
        return mainQueue;
    }

    /// The queue for kernels that read host memory while the main queue computes.
    public CudaQueue copyQueue() {
        return copyQueue;
    }

    public CudaQueue sideQueue() {
        return sideQueue;
    }

    /// Makes `queue` the current queue of the calling thread.
    void onQueue(CudaQueue queue) {
        currentQueue.set(queue);
    }

    public void makeCurrent() {
        driver.cuCtxSetCurrent(handle);
    }

    /// Free and total bytes of the device.
    public long[] memory() {
        makeCurrent();
        return driver.cuMemGetInfo();
    }

    /// The address of a tensor on the device, in device memory or page-locked host memory.
    ///
    /// @throws IllegalStateException if the tensor is in host memory that the device cannot read
    public long address(Tensor tensor) {
        Memory memory = tensor.memory();
        if (memory instanceof DeviceMemory held) {
            recordings.uses(held.scope());
            return held.address() + tensor.byteOffset();
        }
        if (memory instanceof HostMemory host && pinned.contains(host.segment().address())) {
            return host.segment().address() + tensor.byteOffset();
        }
        throw new IllegalStateException("tensor " + tensor.dtype() + " " + tensor.shape()
                + " is in host memory that is not page-locked; allocate it with this backend or copy it");
    }

    @Override
    public void close() {
        makeCurrent();
        recordings.close();
        mainQueue.moveTo(null);
        copyQueue.moveTo(null);
        divisions.values().forEach(Division::close);
        makeCurrent();
        mainQueue.close();
        copyQueue.close();
        sideQueue.close();
        driver.cuDevicePrimaryCtxRelease(device);
    }
}
