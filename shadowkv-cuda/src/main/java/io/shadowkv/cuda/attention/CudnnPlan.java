package io.shadowkv.cuda.attention;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.shadowkv.cuda.ffi.Cudnn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What cuDNN made of a [CudnnGraph]; valid until that is closed. Any thread may run it, each with a handle of its
/// own.
///
/// @param descriptor cuDNN's object
/// @param workspaceBytes device memory that a run needs
record CudnnPlan(Cudnn cudnn, long descriptor, long workspaceBytes) {
    private static final int VARIANT_PACK = 16;
    private static final int UNIQUE_IDS = 1000;
    private static final int DATA_POINTERS = 1001;
    private static final int WORKSPACE = 1003;
    private static final int TYPE_INT64 = 3;
    private static final int TYPE_POINTER = 6;

    /// Enqueues a run on the handle's stream.
    ///
    /// @param ids of the tensors that are given or taken
    /// @param addresses where they lie, scalars in host memory, which is read before the call returns
    /// @param workspace address of as many bytes as the plan needs; 0 if it needs none
    void execute(long handle, long[] ids, long[] addresses, long workspace) {
        long pack = cudnn.cudnnBackendCreateDescriptor(VARIANT_PACK);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocateFrom(JAVA_LONG, addresses);
            cudnn.cudnnBackendSetAttribute(pack, DATA_POINTERS, TYPE_POINTER, addresses.length, pointers);
            MemorySegment names = arena.allocateFrom(JAVA_LONG, ids);
            cudnn.cudnnBackendSetAttribute(pack, UNIQUE_IDS, TYPE_INT64, ids.length, names);
            MemorySegment space = arena.allocateFrom(JAVA_LONG, workspace);
            cudnn.cudnnBackendSetAttribute(pack, WORKSPACE, TYPE_POINTER, 1, space);
            cudnn.cudnnBackendFinalize(pack, "variant pack");
            cudnn.cudnnBackendExecute(handle, descriptor, pack);
        } finally {
            cudnn.cudnnBackendDestroyDescriptor(pack);
        }
    }
}
