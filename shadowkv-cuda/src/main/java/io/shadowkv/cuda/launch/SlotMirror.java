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

/// A slot table as kernels read it: an array of structs in device memory, one for each slot. Its
/// address never changes, so that recorded steps read the entries of sequences that join later.
///
/// @param <T> record of tensors
public final class SlotMirror<T> implements Recordings.Refreshable {
    /// Maximum number of slots of a table; a sequence in a higher slot is refused.
    public static final int CAPACITY = 256;

    /// Weak, because the mirror ends when the table is no longer used.
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
        /// @param struct the bytes of an entry, all zero
        void write(T entry, MemorySegment struct);
    }

    /// The array, for a kernel that is launched next. It is up to date, except while a step is
    /// recorded: each replay brings it up to date first.
    Tensor current() {
        context.recordings().reads(this);
        if (!context.recordings().isRecording()) {
            refresh();
        }
        return device;
    }

    /// Copies the table's entries if they have changed. The queue reads the host copy, so one copy
    /// must have ended before the next change is written.
    @Override
    public void refresh() {
        SlotTable<T> table = source.get();
        if (table == null || version == table.version()) {
            return;
        }
        if (table.size() > CAPACITY) {
            throw new IllegalStateException("slot " + (table.size() - 1) + " is used; this backend decodes at most "
                    + CAPACITY + " sequences at the same time. Lower the batch size");
        }
        context.mainQueue().synchronize();
        MemorySegment bytes = host.segment();
        int structBytes = host.extent(1);
        bytes.asSlice(0, (long) table.size() * structBytes).fill((byte) 0);
        for (int slot = 0; slot < table.size(); slot++) {
            T entry = table.getOrNull(slot);
            if (entry != null) {
                writer.write(entry, bytes.asSlice((long) slot * structBytes, structBytes));
            }
        }
        // Nothing reads the entries of slots that were never used.
        context.queue().copy(context.address(device), host.segment().address(), (long) table.size() * structBytes);
        version = table.version();
    }
}
