package io.shadowkv.engine.batch;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.model.DecodeStep;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Arranges the new tokens of a step's sequences in rows and waves, pads the waves to the backend's
/// row buckets, and uploads the row table.
public final class StepBuilder implements AutoCloseable {
    private static final int FIELDS = 5;

    /// Fields that differ in each further kind of layer: write rows, attended.
    private static final int SHIFTED_FIELDS = 2;

    /// Minimum number of rows of the table, so that a growing batch does not reallocate it.
    private static final int LEAST_ROWS = 64;

    private static final SequenceCache.NewRow NOWHERE = new SequenceCache.NewRow(0, 0, 0, 0);

    private final Backend backend;
    private final RotaryTables tables;
    private @Nullable MemoryScope scope;
    private @Nullable Tensor table;

    /// @param tables tables of the sequences that take part in steps
    public StepBuilder(Backend backend, RotaryTables tables) {
        this.backend = backend;
        this.tables = tables;
    }

    /// Bytes of the row table of a step of `rows` rows.
    static long bytes(int rows) {
        return (long) FIELDS * Math.max(LEAST_ROWS, rows) * Integer.BYTES;
    }

    /// New tokens of one sequence.
    ///
    /// @param slot slot of the sequence in the decode cache
    /// @param cache cache of the sequence, with room for all ids
    /// @param ids one or more tokens, in order
    /// @param wantsLogits true if the logits of the last token are needed
    public record Input(int slot, SequenceCache cache, int[] ids, boolean wantsLogits) {}

    /// Advances the caches and builds the step.
    public Built build(List<Input> parts) {
        List<Row> rows = new ArrayList<>();
        List<List<Row>> waves = new ArrayList<>();
        int longest = parts.stream().mapToInt(part -> part.ids().length).max().orElse(0);
        for (int i = 0; i < longest; i++) {
            for (List<Row> wave : wavesOf(parts, i)) {
                pad(wave);
                waves.add(wave);
                rows.addAll(wave);
            }
        }
        int tokens = parts.stream().mapToInt(part -> part.ids().length).sum();
        Tensor fields = upload(rows);
        List<DecodeCache.Wave> built = new ArrayList<>();
        List<StepRows> tables = tables(rows.size(), fields);
        int from = 0;
        for (List<Row> wave : waves) {
            Row first = wave.getFirst();
            int at = from;
            List<StepRows> sliced =
                    tables.stream().map(all -> all.slice(at, wave.size())).toList();
            built.add(new DecodeCache.Wave(
                    sliced.getFirst(), sliced.subList(1, sliced.size()), first.rotary(), first.isIndexed()));
            from += wave.size();
        }
        int[] logitRows = IntStream.range(0, rows.size())
                .filter(row -> rows.get(row).wantsLogits())
                .toArray();
        int[] logitSlots =
                Arrays.stream(logitRows).map(row -> rows.get(row).slot()).toArray();
        int[] ids = rows.stream().mapToInt(Row::id).toArray();
        return new Built(new DecodeStep(ids, built, tokens, logitRows), logitSlots);
    }

    /// The rows as each kind of layer has them.
    private static List<StepRows> tables(int count, Tensor fields) {
        List<StepRows> all = new ArrayList<>();
        for (int write = 2; write < fields.extent(0); write = write == 2 ? FIELDS : write + SHIFTED_FIELDS) {
            all.add(new StepRows(
                    count, fields.row(0), fields.row(1), fields.row(write), fields.row(write + 1), fields.row(4)));
        }
        return all;
    }

    private void pad(List<Row> wave) {
        Row first = wave.getFirst();
        Row padding = new Row(0, -1, NOWHERE, first.rotary(), first.isIndexed(), false);
        wave.addAll(Collections.nCopies(backend.rowBucket(wave.size()) - wave.size(), padding));
    }

    /// @param logitSlots slot of each logit row
    public record Built(DecodeStep step, int[] logitSlots) {}

    private record Row(
            int id,
            int slot,
            SequenceCache.NewRow place,
            LayerRotaries rotary,
            boolean isIndexed,
            boolean wantsLogits) {}

    /// What rows must have in common to be in one wave.
    private record Kind(LayerRotaries rotary, boolean isIndexed) {}

    private Iterable<List<Row>> wavesOf(List<Input> parts, int index) {
        Map<Kind, List<Row>> waves = new LinkedHashMap<>();
        for (Input part : parts) {
            if (index < part.ids().length) {
                boolean isLast = index == part.ids().length - 1;
                SequenceCache cache = part.cache();
                Row row = new Row(
                        part.ids()[index],
                        part.slot(),
                        cache.advance(),
                        tables.latest(cache.rotary()),
                        cache.isIndexed(),
                        isLast && part.wantsLogits());
                waves.computeIfAbsent(new Kind(row.rotary(), row.isIndexed()), kind -> new ArrayList<>())
                        .add(row);
            }
        }
        return waves.values();
    }

    /// I32 `[fields, rows]`: slots, positions, write rows, attended, units; then write rows and
    /// attended of each further kind of layer.
    private Tensor upload(List<Row> rows) {
        int count = rows.size();
        int kinds =
                rows.stream().mapToInt(row -> row.place().shifts().size()).max().orElse(0);
        int fieldCount = FIELDS + SHIFTED_FIELDS * kinds;
        int[] values = new int[fieldCount * count];
        for (int i = 0; i < count; i++) {
            SequenceCache.NewRow place = rows.get(i).place();
            values[i] = rows.get(i).slot();
            values[count + i] = place.position();
            values[2 * count + i] = place.writeRow();
            values[3 * count + i] = place.attended();
            values[4 * count + i] = place.units();
            for (int kind = 0; kind < place.shifts().size(); kind++) {
                int at = (FIELDS + SHIFTED_FIELDS * kind) * count + i;
                values[at] = place.writeRow() + place.shifts().get(kind);
                values[at + count] = place.attended() + place.shifts().get(kind);
            }
        }
        Tensor current = table;
        if (current == null || current.elements() < values.length) {
            close();
            MemoryScope fresh = backend.newScope("the row table of a decode step");
            scope = fresh;
            current = fresh.allocate(DType.I32, Math.max(values.length, FIELDS * LEAST_ROWS));
            table = current;
        }
        Tensor fields = current.slice(0, values.length).reshape(fieldCount, count);
        backend.upload(values, fields);
        return fields;
    }

    @Override
    public void close() {
        if (scope != null) {
            backend.synchronize();
            scope.close();
            scope = null;
            table = null;
        }
    }
}
