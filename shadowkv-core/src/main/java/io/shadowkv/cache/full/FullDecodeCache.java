package io.shadowkv.cache.full;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.DecodeCache;
import io.shadowkv.cache.SelectionListener;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.AttentionOperations;
import io.shadowkv.op.Backend;
import io.shadowkv.op.SlotTable;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Full attention for a batch: each row attends to its sequence from the first token to the new
/// one.
final class FullDecodeCache implements DecodeCache {
    private final AttentionOperations attention;
    private final List<SlotTable<AttendedRows>> layers;

    FullDecodeCache(CacheShape shape, Backend backend) {
        this.attention = backend.operations().attention();
        this.layers = IntStream.range(0, shape.layers())
                .mapToObj(layer -> new SlotTable<AttendedRows>())
                .toList();
    }

    @Override
    public void join(int slot, SequenceCache sequence) {
        if (!(sequence instanceof FullSequence full)) {
            throw new IllegalArgumentException(
                    "a " + sequence.getClass().getSimpleName() + " cannot join a batch with full attention");
        }
        for (int layer = 0; layer < layers.size(); layer++) {
            layers.get(layer).set(slot, full.layer(layer));
        }
    }

    @Override
    public void leave(int slot) {
        layers.forEach(table -> table.set(slot, null));
    }

    @Override
    public void makeRoom(int slot) {
        throw new IllegalStateException("the sequence in slot " + slot + " is at its capacity");
    }

    @Override
    public boolean beginRoom(int slot) {
        makeRoom(slot);
        return true;
    }

    @Override
    public void settle(int slot) {
        // Nothing is under way between steps.
    }

    @Override
    public Prepared prepare(List<Wave> waves) {
        return new Prepared("full attention", Fetches.NONE);
    }

    @Override
    public boolean isRecordable() {
        return true;
    }

    @Override
    public void append(int layer, Tensor keys, Tensor values, Wave wave) {
        attention.append(keys, values, layers.get(layer), wave.rows());
    }

    @Override
    public void choose(int layer, Tensor queries, Wave wave) {
        // Every token is attended to.
    }

    @Override
    public void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out) {
        attention.decode(queries, layers.get(layer), wave.rows(), scale, out);
    }

    @Override
    public void synthesizeHits(double rate) {
        // Full attention selects nothing, so there is nothing to replace.
    }

    @Override
    public void trace(@Nullable SelectionListener listener) {
        // Full attention selects nothing, so there is nothing to report.
    }

    @Override
    public void close() {
        // The sequences own all memory.
    }
}
