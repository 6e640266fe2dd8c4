package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Exact attention of a decode step, and the placing of keys and values for it. Chooses the kernel
/// for each case.
///
/// Any thread may call the placing methods. Only the main queue's thread may call the others,
/// because they share scratch memory.
final class DecodeAttention implements AutoCloseable {
    private final CudaParts parts;
    private final KeyValuePlacing placing;
    private final TiledDecode tiled;
    private final PlainDecode plain;

    DecodeAttention(CudaParts parts) {
        this.parts = parts;
        this.placing = new KeyValuePlacing(parts);
        this.tiled = new TiledDecode(parts);
        this.plain = new PlainDecode(parts);
    }

    void store(Tensor rows, Tensor target, int at) {
        placing.store(rows, target, at);
    }

    void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows) {
        AttendedRows any = anyOf(attended);
        if (any != null && rows.count() > 0) {
            placing.append(newKeys, newValues, parts.mirrors().attended(attended), any, rows);
        }
    }

    void all(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out) {
        AttendedRows any = anyOf(attended);
        if (any != null) {
            Tensor table = parts.mirrors().attended(attended);
            run(new DecodeCase(queries, table, false, any, (float) scale, out), rows);
        }
    }

    void selected(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out) {
        IndexedLayer any = anyOf(layers);
        if (any != null) {
            Tensor table = parts.mirrors().indexed(layers);
            // The copy queue fetches the values of misses. If these rows have no fetch of their
            // own, this waits for all fetches.
            parts.pendingFetches().join(rows, parts.queue());
            run(new DecodeCase(queries, table, true, any.residency().attended(), (float) scale, out), rows);
        }
    }

    private void run(DecodeCase decoded, StepRows rows) {
        if (rows.count() == 0) {
            return;
        }
        if (tiled.takes(decoded)) {
            tiled.run(decoded, rows);
        } else {
            plain.run(decoded, rows);
        }
    }

    /// The rows of any sequence of a table, since all have the same types and head counts. Null if
    /// the table is empty: all rows are then padding.
    private static <T> @Nullable T anyOf(SlotTable<T> table) {
        for (int slot = 0; slot < table.size(); slot++) {
            T entry = table.getOrNull(slot);
            if (entry != null) {
                return entry;
            }
        }
        return null;
    }

    @Override
    public void close() {
        tiled.close();
        plain.close();
    }
}
