package io.shadowkv.cache;

import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All sequences that decode together, each in a slot. Sequences join and leave between steps.
public interface DecodeCache extends AutoCloseable {
    /// @throws IllegalArgumentException if the sequence is another strategy's
    void join(int slot, SequenceCache sequence);

    /// Empties a slot; the sequence is not closed.
    void leave(int slot);

    /// Makes room for new tokens of the sequence in `slot` where [SequenceCache#room] is 0 below its capacity.
    void makeRoom(int slot);

    /// Makes room as [#makeRoom] does, but does not wait for work on the side queue. While that is under
    /// way, the sequence must be left out of steps.
    ///
    /// @return true if there is room now
    boolean beginRoom(int slot);

    /// Waits for the work that [#beginRoom] has begun for a slot, before its sequence is used elsewhere.
    void settle(int slot);

    /// Allocates what a step of these waves needs, so that the step itself allocates nothing.
    Prepared prepare(List<Wave> waves);

    /// False while a step reads back to the host, so that recording it would miss something.
    boolean isRecordable();

    /// Takes one new token of each row's sequence. Waves are prepared first; this and what follows may take them in
    /// slices.
    ///
    /// @param keys rotated, [r, kvHeads, headDim]
    /// @param values [r, kvHeads, headDim]
    /// @param wave one row for each of r different sequences, all indexed or none
    void append(int layer, Tensor keys, Tensor values, Wave wave);

    /// Chooses what each row attends to, its new token included. What has to be fetched for that may be under way
    /// until [#attend] is called with the same rows; other rows may come in between.
    ///
    /// @param queries rotated, [r, queryHeads, headDim]
    void choose(int layer, Tensor queries, Wave wave);

    /// Attends over what [#choose] chose for the same layer, queries and wave.
    ///
    /// @param out [r, queryHeads, headDim]
    void attend(int layer, Tensor queries, Wave wave, double scale, Tensor out);

    /// Replaces selections by synthetic ones from now on, of which about `rate` are resident already: for
    /// comparing machines, not for answers. NaN ends it. A strategy that selects nothing takes no notice.
    void synthesizeHits(double rate);

    /// Hears of every selection from now on (slow: waits for the backend at every layer); null ends it.
    void trace(@Nullable SelectionListener listener);

    /// Frees what is shared by the slots; the sequences are not closed.
    @Override
    void close();

    /// A step that can run.
    ///
    /// @param shape what shapes the step in addition to its waves: as long as it is equal, the same waves enqueue
    ///     the same operations on the same memory
    /// @param fetches what indexed waves of the step read over the link
    record Prepared(Object shape, Fetches fetches) {}

    /// What one row of an indexed wave reads from host memory in one layer if nothing it selects is resident.
    ///
    /// @param fromLayer first layer that fetches; layers below keep their values in device memory
    /// @param bytesPerRow mean over the sequences
    record Fetches(int fromLayer, double bytesPerRow) {
        public static final Fetches NONE = new Fetches(Integer.MAX_VALUE, 0);
    }

    /// Rows that go through a layer's cache together.
    ///
    /// @param rows one row each of different sequences, and possibly rows of slot -1 behind them
    /// @param shifted the same rows for layers whose regions have other extents, one for each of
    ///     [SequenceCache.NewRow#shifts]: they differ in the rows that are written and attended to
    /// @param rotary tables of all of them
    /// @param isIndexed true if all select from an index, false if none does
    record Wave(StepRows rows, List<StepRows> shifted, LayerRotaries rotary, boolean isIndexed) {
        public Wave {
            shifted = List.copyOf(shifted);
        }

        /// Rows of a decoder whose layers all have the same extents.
        public Wave(StepRows rows, LayerRotaries rotary, boolean isIndexed) {
            this(rows, List.of(), rotary, isIndexed);
        }

        /// Rows `from` until `from + count`.
        public Wave slice(int from, int count) {
            List<StepRows> others =
                    shifted.stream().map(some -> some.slice(from, count)).toList();
            return new Wave(rows.slice(from, count), others, rotary, isIndexed);
        }
    }
}
