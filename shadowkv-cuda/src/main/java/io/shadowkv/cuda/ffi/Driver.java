package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The CUDA driver's library, `libcuda.so.1`. Methods have the names of the C functions, without
/// version suffixes, and check every status. Handles (contexts, streams, events, modules,
/// functions, graphs) and device addresses are plain longs.
///
/// Thread-safe, like the driver. Calls use the thread's current context.
public final class Driver {
    private static final int SUCCESS = 0;
    static final int OUT_OF_MEMORY = 2;

    private final NativeLibrary library;
    private final LazyCalls calls;
    private final GreenContexts greenContexts;
    private final MethodHandle launchKernel;
    private final MethodHandle memcpyAsync;
    private final MethodHandle eventRecord;
    private final MethodHandle streamWaitEvent;
    private final MethodHandle ctxSetCurrent;
    private final MethodHandle graphLaunch;

    private Driver(NativeLibrary library) {
        this.library = library;
        this.calls = new LazyCalls(library, this::explain);
        this.greenContexts = new GreenContexts(calls);
        this.launchKernel = library.function(
                "cuLaunchKernel",
                JAVA_LONG,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_INT,
                JAVA_LONG,
                ADDRESS,
                ADDRESS);
        this.memcpyAsync = library.function("cuMemcpyAsync", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        this.eventRecord = library.function("cuEventRecord", JAVA_LONG, JAVA_LONG);
        this.streamWaitEvent = library.function("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
        this.ctxSetCurrent = library.function("cuCtxSetCurrent", JAVA_LONG);
        this.graphLaunch = library.function("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
    }

    /// @param folder the only folder to search, or null for the usual places
    /// @throws NativeLibrary.LibraryMissingException if the driver is missing
    public static Driver open(@Nullable Path folder) {
        return new Driver(NativeLibrary.open(List.of("libcuda.so.1"), folder));
    }

    public String file() {
        return library.file();
    }

    /// Calls that divide a device.
    public GreenContexts greenContexts() {
        return greenContexts;
    }

    public void cuInit() {
        calls.call("cuInit", 0);
    }

    /// CUDA version of the driver, 1000 · major + 10 · minor.
    public int cuDriverGetVersion() {
        return calls.outInt("cuDriverGetVersion");
    }

    public int cuDeviceGetCount() {
        return calls.outInt("cuDeviceGetCount");
    }

    public int cuDeviceGet(int ordinal) {
        return calls.outInt("cuDeviceGet", ordinal);
    }

    public String cuDeviceGetName(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(256);
            calls.call("cuDeviceGetName", name, 256, device);
            return name.getString(0);
        }
    }

    public int cuDeviceGetAttribute(int attribute, int device) {
        return calls.outInt("cuDeviceGetAttribute", attribute, device);
    }

    public long cuDevicePrimaryCtxRetain(int device) {
        return calls.out("cuDevicePrimaryCtxRetain", device);
    }

    public void cuDevicePrimaryCtxRelease(int device) {
        calls.call("cuDevicePrimaryCtxRelease_v2", device);
    }

    public void cuCtxSetCurrent(long context) {
        int status;
        try {
            status = (int) ctxSetCurrent.invokeExact(context);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuCtxSetCurrent", t);
        }
        calls.check("cuCtxSetCurrent", status);
    }

    /// Free and total bytes of the current device.
    public long[] cuMemGetInfo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment both = arena.allocate(JAVA_LONG, 2);
            calls.call("cuMemGetInfo_v2", both, both.asSlice(8));
            return both.toArray(JAVA_LONG);
        }
    }

    /// An address, or 0 if the device has too little memory left.
    public long cuMemAlloc(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            int status = calls.status("cuMemAlloc_v2", out, bytes);
            if (status == OUT_OF_MEMORY) {
                return 0;
            }
            calls.check("cuMemAlloc", status);
            return out.get(JAVA_LONG, 0);
        }
    }

    public void cuMemFree(long address) {
        calls.call("cuMemFree_v2", address);
    }

    /// Page-locks host memory and maps it for every context of the device at the same address.
    ///
    /// @return false if the system cannot lock that much memory
    public boolean cuMemHostRegister(MemorySegment memory) {
        int portableAndMapped = 3;
        int status = calls.status("cuMemHostRegister_v2", memory, memory.byteSize(), portableAndMapped);
        if (status == OUT_OF_MEMORY) {
            return false;
        }
        calls.check("cuMemHostRegister", status);
        return true;
    }

    public void cuMemHostUnregister(MemorySegment memory) {
        calls.call("cuMemHostUnregister", memory);
    }

    /// Copies between any two places of unified addressing. Host memory that is not page-locked is
    /// staged: the call then returns after it was read.
    public void cuMemcpyAsync(long target, long source, long bytes, long stream) {
        int status;
        try {
            status = (int) memcpyAsync.invokeExact(target, source, bytes, stream);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuMemcpyAsync", t);
        }
        calls.check("cuMemcpyAsync", status);
    }

    public void cuMemsetD8Async(long address, int value, long bytes, long stream) {
        calls.call("cuMemsetD8Async", address, (byte) value, bytes, stream);
    }

    /// @param priority lower numbers first
    public long cuStreamCreateWithPriority(int priority) {
        int nonBlocking = 1;
        return calls.out("cuStreamCreateWithPriority", nonBlocking, priority);
    }

    public void cuStreamDestroy(long stream) {
        calls.call("cuStreamDestroy_v2", stream);
    }

    public void cuStreamSynchronize(long stream) {
        calls.call("cuStreamSynchronize", stream);
    }

    public void cuStreamWaitEvent(long stream, long event) {
        int status;
        try {
            status = (int) streamWaitEvent.invokeExact(stream, event, 0);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuStreamWaitEvent", t);
        }
        calls.check("cuStreamWaitEvent", status);
    }

    /// @param isTimed true for events that [#cuEventElapsedTime] is called with
    public long cuEventCreate(boolean isTimed) {
        int disableTiming = 2;
        return calls.out("cuEventCreate", isTimed ? 0 : disableTiming);
    }

    public void cuEventDestroy(long event) {
        calls.call("cuEventDestroy_v2", event);
    }

    public void cuEventRecord(long event, long stream) {
        int status;
        try {
            status = (int) eventRecord.invokeExact(event, stream);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuEventRecord", t);
        }
        calls.check("cuEventRecord", status);
    }

    public void cuEventSynchronize(long event) {
        calls.call("cuEventSynchronize", event);
    }

    /// Milliseconds between two recorded events.
    public float cuEventElapsedTime(long start, long end) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_FLOAT);
            calls.call("cuEventElapsedTime", out, start, end);
            return out.get(JAVA_FLOAT, 0);
        }
    }

    /// @param image a cubin
    public long cuModuleLoadData(MemorySegment image) {
        return calls.out("cuModuleLoadData", image);
    }

    public void cuModuleUnload(long module) {
        calls.call("cuModuleUnload", module);
    }

    public long cuModuleGetFunction(long module, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            calls.call("cuModuleGetFunction", out, module, arena.allocateFrom(name));
            return out.get(JAVA_LONG, 0);
        }
    }

    public int cuFuncGetAttribute(int attribute, long function) {
        return calls.outInt("cuFuncGetAttribute", attribute, function);
    }

    public void cuFuncSetAttribute(long function, int attribute, int value) {
        calls.call("cuFuncSetAttribute", function, attribute, value);
    }

    public int cuOccupancyMaxActiveBlocksPerMultiprocessor(long function, int threads, long sharedBytes) {
        return calls.outInt("cuOccupancyMaxActiveBlocksPerMultiprocessor", function, threads, sharedBytes);
    }

    /// @param parameters one pointer per kernel argument
    public void cuLaunchKernel(
            long function, int[] grid, int[] block, int sharedBytes, long stream, MemorySegment parameters) {
        int status;
        try {
            status = (int) launchKernel.invokeExact(
                    function,
                    grid[0],
                    grid[1],
                    grid[2],
                    block[0],
                    block[1],
                    block[2],
                    sharedBytes,
                    stream,
                    parameters,
                    MemorySegment.NULL);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuLaunchKernel", t);
        }
        calls.check("cuLaunchKernel", status);
    }

    /// Like [#cuLaunchKernel], with attributes.
    public void cuLaunchKernelEx(long function, LaunchConfig config, MemorySegment parameters) {
        try (Arena arena = Arena.ofConfined()) {
            calls.call("cuLaunchKernelEx", config.write(arena), function, parameters, MemorySegment.NULL);
        }
    }

    public void cuStreamBeginCapture(long stream) {
        int relaxed = 2;
        calls.call("cuStreamBeginCapture_v2", stream, relaxed);
    }

    public long cuStreamEndCapture(long stream) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            calls.call("cuStreamEndCapture", stream, out);
            return out.get(JAVA_LONG, 0);
        }
    }

    public long cuGraphInstantiate(long graph) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(JAVA_LONG);
            calls.call("cuGraphInstantiateWithFlags", out, graph, 0L);
            return out.get(JAVA_LONG, 0);
        }
    }

    public void cuGraphLaunch(long executable, long stream) {
        int status;
        try {
            status = (int) graphLaunch.invokeExact(executable, stream);
        } catch (Throwable t) {
            throw LazyCalls.broken("cuGraphLaunch", t);
        }
        calls.check("cuGraphLaunch", status);
    }

    public void cuGraphDestroy(long graph) {
        calls.call("cuGraphDestroy", graph);
    }

    public void cuGraphExecDestroy(long executable) {
        calls.call("cuGraphExecDestroy", executable);
    }

    /// Encodes a tensor map for bulk copies of tiles of a row-major 2-D to 5-D array.
    ///
    /// @param map receives the tensor map; 128 bytes, 64-byte aligned
    /// @param type a `CUtensorMapDataType`
    /// @param extents elements, innermost first
    /// @param strides bytes, for all dimensions except the innermost
    /// @param box extents of a tile
    /// @param swizzle a `CUtensorMapSwizzle`
    public void cuTensorMapEncodeTiled(
            MemorySegment map, int type, long address, long[] extents, long[] strides, int[] box, int swizzle) {
        try (Arena arena = Arena.ofConfined()) {
            int[] ones = new int[box.length];
            java.util.Arrays.fill(ones, 1);
            int noInterleave = 0;
            int promoteTo256Bytes = 3;
            int zerosOutside = 0;
            calls.call(
                    "cuTensorMapEncodeTiled",
                    map,
                    type,
                    extents.length,
                    address,
                    arena.allocateFrom(JAVA_LONG, extents),
                    arena.allocateFrom(JAVA_LONG, strides),
                    arena.allocateFrom(JAVA_INT, box),
                    arena.allocateFrom(JAVA_INT, ones),
                    noInterleave,
                    swizzle,
                    promoteTo256Bytes,
                    zerosOutside);
        }
    }

    /// The meaning of a status, and what a user can do about it.
    private String explain(int status) {
        return "(" + meaning(status) + "). " + DriverAdvice.of(status);
    }

    private String meaning(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            if (calls.status("cuGetErrorString", status, out) != SUCCESS) {
                return "no description";
            }
            return out.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
        }
    }
}
