package io.shadowkv.cpu.attention;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.attention.KeyTile.Span;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The rows that each row of a decode wave attends to: a region, and for every head the spans of
/// the region to read.
final class DecodeRows {
    private final @Nullable AttendedRows[] regions;
    /// For each row, the spans of each head; empty for a padding row.
    private final List<List<List<Span>>> spans = new ArrayList<>();

    private DecodeRows(int count) {
        regions = new AttendedRows[count];
    }

    /// Every row reads its region from the start.
    static DecodeRows all(SlotTable<AttendedRows> attended, StepRows rows) {
        int[] slots = ints(rows.slots());
        int[] counts = ints(rows.attended());
        var decoded = new DecodeRows(rows.count());
        for (int i = 0; i < rows.count(); i++) {
            AttendedRows region = slots[i] < 0 ? null : attended.get(slots[i]);
            int heads = region == null ? 0 : region.keys().extent(0);
            List<Span> whole = List.of(new Span(0, counts[i]));
            decoded.add(i, region, Collections.nCopies(heads, whole));
        }
        return decoded;
    }

    /// Every row reads the rows before and after its units' region, and the selected units.
    static DecodeRows selected(SlotTable<IndexedLayer> layers, StepRows rows) {
        int[] slots = ints(rows.slots());
        int[] counts = ints(rows.attended());
        var decoded = new DecodeRows(rows.count());
        for (int i = 0; i < rows.count(); i++) {
            if (slots[i] < 0) {
                decoded.add(i, null, List.of());
            } else {
                IndexedLayer layer = layers.get(slots[i]);
                decoded.add(i, layer.residency().attended(), selectedSpans(layer, counts[i]));
            }
        }
        return decoded;
    }

    private static List<List<Span>> selectedSpans(IndexedLayer layer, int attended) {
        int[] selected = ints(layer.residency().selectedSlots());
        int perHead = layer.selectedUnits();
        int unit = layer.unitTokens();
        int end = layer.residency().firstRow() + layer.slots() * unit;
        List<List<Span>> heads = new ArrayList<>();
        for (int at = 0; at < selected.length; at += perHead) {
            List<Span> spans = new ArrayList<>();
            append(spans, 0, layer.residency().firstRow());
            for (int n = at; n < at + perHead; n++) {
                if (selected[n] >= 0) {
                    append(spans, layer.residency().firstRow() + selected[n] * unit, unit);
                }
            }
            append(spans, end, attended - end);
            heads.add(spans);
        }
        return heads;
    }

    /// Merges adjacent spans.
    private static void append(List<Span> spans, int from, int count) {
        if (count <= 0) {
            return;
        }
        Span last = spans.isEmpty() ? new Span(-1, 0) : spans.getLast();
        if (last.from() + last.count() == from) {
            spans.set(spans.size() - 1, new Span(last.from(), last.count() + count));
        } else {
            spans.add(new Span(from, count));
        }
    }

    private void add(int i, @Nullable AttendedRows region, List<List<Span>> heads) {
        if (region != null) {
            for (List<Span> head : heads) {
                head.forEach(span -> Objects.checkFromIndexSize(
                        span.from(), span.count(), region.keys().extent(1)));
            }
        }
        regions[i] = region;
        spans.add(heads);
    }

    int count() {
        return regions.length;
    }

    boolean isPadding(int i) {
        return regions[i] == null;
    }

    /// Number of key-value heads; 0 if all rows are padding.
    int kvHeads() {
        for (AttendedRows region : regions) {
            if (region != null) {
                return region.keys().extent(0);
            }
        }
        return 0;
    }

    AttendedRows region(int i) {
        return Objects.requireNonNull(regions[i], "a padding row attends to nothing");
    }

    /// Maximum number of rows that a head of row i reads.
    int longest(int i) {
        return spans.get(i).stream()
                .mapToInt(head -> head.stream().mapToInt(Span::count).sum())
                .max()
                .orElse(0);
    }

    /// The part of a head's spans after the first `skipped` rows, limited to `limit` rows.
    List<Span> spans(int i, int head, int skipped, int limit) {
        List<Span> cut = new ArrayList<>();
        int before = 0;
        for (Span span : spans.get(i).get(head)) {
            int from = Math.max(0, skipped - before);
            int to = Math.min(span.count(), skipped + limit - before);
            if (from < to) {
                cut.add(new Span(span.from() + from, to - from));
            }
            before += span.count();
        }
        return cut;
    }

    private static int[] ints(Tensor tensor) {
        return tensor.segment().toArray(JAVA_INT_UNALIGNED);
    }
}
