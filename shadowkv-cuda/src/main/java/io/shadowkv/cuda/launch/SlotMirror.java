package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.Recordings;
import io.shadowkv.op.Backend;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;

/// A slot table as kernels read it: an array of structs in device memory, one a slot. Its address stays, so that
/// recorded steps find what joined later.
///
/// @param <T> record of tensors
public final class SlotMirror<T> implements Recordings.Refreshable {
    /// Slots that a table may have; a sequence beyond is refused.
    public static final int CAPACITY = 256;

    /// Weak, so that the mirror does not keep alive what decides when it ends.
    private final WeakReference<SlotTable<T>> source;
    private final Writer<T> writer;
    private final CudaContext context;
    private final Tensor device;
    private final Tensor host;
    private long version = -1;

    /// @param structBytes bytes of an entry, a multiple of 8
    /// @param scope owns both copies
    SlotMirror(SlotTable<T> table, int structBytes, Writer<T> writer, CudaContext context, CudaScope scope) {
        this.source = new WeakReference<>(table);
        this.writer = writer;
        this.context = context;
        this.device = scope.allocate(DType.U8, CAPACITY, structBytes);
        this.host = scope.allocate(Backend.Place.HOST, DType.U8, CAPACITY, structBytes);
    }

    /// Writes one entry.
    interface Writer<T> {
        /// @param struct zeros, as many bytes as an entry has
        void write(T entry, MemorySegment struct);
    }

    /// The array, for a kernel that is about to be launched; brought up to date unless a recording does so later.
    Tensor current() {
        context.recordings().reads(this);
        if (!context.recordings().isRecording()) {
            refresh();
        }
        return device;
    }

    /// Copies the table's entries if they have changed. The host copy is read by the queue in order, so that one
    /// copy must have ended before the next change is written.
    @Override
    public void refresh() {
        SlotTable<T> table = source.get();
        if (table == null || version == table.version()) {
            return;
        }
        if (table.size() > CAPACITY) {
            throw new IllegalStateException(
                    "slot " + (table.size() - 1) + " is used; this backend decodes " + CAPACITY + " sequences at most");
        }
        context.mainQueue().synchronize();
        MemorySegment bytes = host.segment();
        bytes.fill((byte) 0);
        int structBytes = host.extent(1);
        for (int slot = 0; slot < table.size(); slot++) {
            T entry = table.getOrNull(slot);
            if (entry != null) {
                writer.write(entry, bytes.asSlice((long) slot * structBytes, structBytes));
            }
        }
        context.queue().copy(context.address(device), host.segment().address(), device.byteSize());
        version = table.version();
    }
}
