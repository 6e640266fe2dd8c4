package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Calls of the driver that divide a device's multiprocessors ("green contexts", since CUDA 12.4).
/// Work on a stream of a part runs on the multiprocessors of that part only.
public final class GreenContexts {
    /// Size and layout of `CUdevResource`.
    private static final int RESOURCE_BYTES = 144;
    private static final int MULTIPROCESSORS_OFFSET = 96;

    private static final int MULTIPROCESSOR_RESOURCE = 1;
    private static final int DEFAULT_STREAM = 1;
    private static final int NON_BLOCKING = 1;

    private final LazyCalls calls;

    GreenContexts(LazyCalls calls) {
        this.calls = calls;
    }

    /// A part of a device.
    ///
    /// @param context handle of its green context
    /// @param multiprocessors number of its multiprocessors, as the device rounded it
    public record Part(long context, int multiprocessors) {}

    /// Divides a device whose primary context is open.
    ///
    /// @param least least number of multiprocessors of the first part
    /// @return the first part, and one with all other multiprocessors
    /// @throws CudaException if the driver refuses
    /// @throws NativeLibrary.LibraryMissingException if the driver is older
    public List<Part> divide(int device, int least) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(RESOURCE_BYTES, 8);
            MemorySegment first = arena.allocate(RESOURCE_BYTES, 8);
            MemorySegment rest = arena.allocate(RESOURCE_BYTES, 8);
            MemorySegment groups = arena.allocateFrom(JAVA_INT, 1);
            calls.call("cuDeviceGetDevResource", device, all, MULTIPROCESSOR_RESOURCE);
            calls.call("cuDevSmResourceSplitByCount", first, groups, all, rest, 0, least);
            Part part = part(first, device);
            try {
                return List.of(part, part(rest, device));
            } catch (CudaException e) {
                cuGreenCtxDestroy(part.context());
                throw e;
            }
        }
    }

    private Part part(MemorySegment resource, int device) {
        int multiprocessors = resource.get(JAVA_INT, MULTIPROCESSORS_OFFSET);
        if (multiprocessors < 1) {
            throw new CudaException("a part of the device would have " + multiprocessors + " multiprocessors");
        }
        long description = calls.out("cuDevResourceGenerateDesc", resource, 1);
        return new Part(calls.out("cuGreenCtxCreate", description, device, DEFAULT_STREAM), multiprocessors);
    }

    public long cuGreenCtxStreamCreate(long context, int priority) {
        return calls.out("cuGreenCtxStreamCreate", context, NON_BLOCKING, priority);
    }

    public void cuGreenCtxDestroy(long context) {
        calls.call("cuGreenCtxDestroy", context);
    }
}
