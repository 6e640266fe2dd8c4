package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.cuda.device.PinnedPool;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// The device's copies of slot tables, one for each table, freed after the table is no longer used.
/// Their structs are those of `tables.cuh`. Used by the main queue's thread.
public final class SlotMirrors {
    static final int ATTENDED_BYTES = 24;
    static final int INDEXED_BYTES = 688;
    private static final int EXTENTS_OFFSET = 176;
    private static final int CODE_ALIGNMENT = 16;

    private final CudaContext context;
    private final PinnedPool pinnedPool;
    private final WeakHashMap<SlotTable<?>, SlotMirror<?>> mirrors = new WeakHashMap<>();
    private final ReferenceQueue<SlotTable<?>> dead = new ReferenceQueue<>();
    private final Map<Reference<?>, CudaScope> scopes = new HashMap<>();

    public SlotMirrors(CudaContext context, PinnedPool pinnedPool) {
        this.context = context;
        this.pinnedPool = pinnedPool;
    }

    /// `AttendedEntry[SlotMirror.CAPACITY]` in device memory.
    public Tensor attended(SlotTable<AttendedRows> table) {
        return mirror(table, ATTENDED_BYTES, (rows, struct) -> writeAttended(rows, this::address, struct))
                .current();
    }

    /// `IndexedEntry[SlotMirror.CAPACITY]` in device memory.
    public Tensor indexed(SlotTable<IndexedLayer> table) {
        return mirror(table, INDEXED_BYTES, (layer, struct) -> writeIndexed(layer, this::address, struct))
                .current();
    }

    @SuppressWarnings("unchecked")
    private <T> SlotMirror<T> mirror(SlotTable<T> table, int bytes, SlotMirror.Writer<T> writer) {
        SlotMirror<?> held = mirrors.get(table);
        if (held == null) {
            freeDead();
            CudaScope scope = new CudaScope("a slot table", context, pinnedPool);
            held = new SlotMirror<>(table, bytes, writer, context, scope);
            mirrors.put(table, held);
            scopes.put(new WeakReference<>(table, dead), scope);
        }
        return (SlotMirror<T>) held;
    }

    private void freeDead() {
        Reference<?> reference = dead.poll();
        while (reference != null) {
            CudaScope scope = scopes.remove(reference);
            if (scope != null) {
                scope.close();
            }
            reference = dead.poll();
        }
    }

    /// @param address returns the address of a tensor, and 0 for null
    static void writeAttended(AttendedRows rows, ToLongFunction<@Nullable Tensor> address, MemorySegment struct) {
        putLong(struct, 0, address.applyAsLong(rows.keys()));
        putLong(struct, 8, address.applyAsLong(rows.values()));
        putInt(struct, 16, rows.keys().extent(1));
    }

    /// @param address returns the address of a tensor, and 0 for null
    static void writeIndexed(IndexedLayer layer, ToLongFunction<@Nullable Tensor> address, MemorySegment struct) {
        Index index = Index.of(layer.index());
        checkAligned(index, address);
        @Nullable
        Tensor[] pointers = {
            index.entries(),
            index.scales(),
            layer.index().unitIds(),
            layer.keys().factor(),
            layer.keys().basis(),
            layer.stored().first().values(),
            layer.stored().first().scales(),
            layer.residency().attended().keys(),
            layer.residency().attended().values(),
            layer.residency().residentUnits(),
            layer.residency().slotAges(),
            layer.residency().selectedSlots(),
            layer.residency().missUnits(),
            layer.residency().missSlots(),
            layer.residency().missCounts(),
            layer.residency().counters()
        };
        for (int i = 0; i < pointers.length; i++) {
            putLong(struct, 8L * i, address.applyAsLong(pointers[i]));
        }
        int[] sizes = {
            layer.unitTokens(),
            layer.residency().firstRow(),
            layer.unitCapacity(),
            layer.stored().first().tokens(),
            layer.residency().attended().keys().extent(1),
            layer.slots(),
            layer.selectedUnits(),
            valueFormat(layer),
            index.codeBlocks(),
            layer.stored().furtherTokens(),
            layer.stored().further().isEmpty() ? 0 : layer.stored().further().getLast().tokens(),
            layer.stored().further().size()
        };
        for (int i = 0; i < sizes.length; i++) {
            putInt(struct, 8L * pointers.length + 4L * i, sizes[i]);
        }
        for (int i = 0; i < layer.stored().further().size(); i++) {
            IndexedLayer.StoredValues.Extent extent = layer.stored().further().get(i);
            putLong(struct, EXTENTS_OFFSET + 8L * i, address.applyAsLong(extent.values()));
            putLong(
                    struct,
                    EXTENTS_OFFSET + 8L * (IndexedLayer.StoredValues.MAX_FURTHER + i),
                    address.applyAsLong(extent.scales()));
        }
    }

    /// What a kernel reads of an index.
    ///
    /// @param entries the landmarks or the codes
    /// @param scales the scales of codes, or null
    /// @param codeBlocks blocks of codes of a head, or 0
    private record Index(Tensor entries, @Nullable Tensor scales, int codeBlocks) {
        static Index of(IndexedLayer.UnitIndex index) {
            return switch (index) {
                case IndexedLayer.Landmarks landmarks -> new Index(landmarks.means(), null, 0);
                case IndexedLayer.TokenCodes codes ->
                    new Index(codes.codes(), codes.scales(), codes.codes().extent(1));
            };
        }
    }

    /// @throws IllegalArgumentException if codes do not start where vectors of 16 bytes may start
    private static void checkAligned(Index index, ToLongFunction<@Nullable Tensor> address) {
        long codes = address.applyAsLong(index.entries());
        long scales = address.applyAsLong(index.scales());
        if (index.codeBlocks() > 0 && (codes % CODE_ALIGNMENT != 0 || scales % CODE_ALIGNMENT != 0)) {
            throw new IllegalArgumentException(
                    "token codes start at address 0x%x and their scales at 0x%x; expected multiples of %d bytes"
                            .formatted(codes, scales, CODE_ALIGNMENT));
        }
    }

    /// A `ValueFormat` of `tables.cuh`: 0 for the attended type, 1 for int8, 2 for fp8; plus 4 in
    /// host memory.
    private static int valueFormat(IndexedLayer layer) {
        DType stored = layer.stored().dtype();
        int place = layer.stored().first().values().memory() instanceof HostMemory ? 4 : 0;
        return place + (stored == DType.I8 ? 1 : stored == DType.F8E4M3 ? 2 : 0);
    }

    private long address(@Nullable Tensor tensor) {
        return tensor == null ? 0 : context.address(tensor);
    }

    private static void putLong(MemorySegment struct, long at, long value) {
        struct.set(ValueLayout.JAVA_LONG, at, value);
    }

    private static void putInt(MemorySegment struct, long at, int value) {
        struct.set(ValueLayout.JAVA_INT, at, value);
    }
}
