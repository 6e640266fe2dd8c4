package io.shadowkv.cache;

import io.shadowkv.op.Rotary;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// All sequences that decode together, each in a slot. Sequences join and leave between steps.
public interface DecodeCache extends AutoCloseable {
    /// @throws IllegalArgumentException if the sequence is another strategy's
    void join(int slot, SequenceCache sequence);

    /// Empties a slot; the sequence is not closed.
    void leave(int slot);

    /// Makes room for new tokens of the sequence in `slot` where [SequenceCache#room] is 0 below its capacity.
    void makeRoom(int slot);

    /// Takes one new token of each row's sequence and attends over what the strategy offers.
    ///
    /// @param queries rotated, [r, queryHeads, headDim]
    /// @param keys rotated, [r, kvHeads, headDim]
    /// @param values [r, kvHeads, headDim]
    /// @param wave one row for each of r different sequences, all indexed or none
    /// @param out [r, queryHeads, headDim]
    void attend(int layer, Tensor queries, Tensor keys, Tensor values, Wave wave, double scale, Tensor out);

    /// Hears of every selection from now on (slow: waits for the backend at every layer); null ends it.
    void trace(@Nullable SelectionListener listener);

    /// Frees what is shared by the slots; the sequences are not closed.
    @Override
    void close();

    /// Rows that go through a layer's cache together.
    ///
    /// @param rows one row each of different sequences
    /// @param rotary tables of all of them
    /// @param isIndexed true if all select from an index, false if none does
    record Wave(StepRows rows, Rotary rotary, boolean isIndexed) {}
}
