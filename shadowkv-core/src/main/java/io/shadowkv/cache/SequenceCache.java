package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import java.util.List;

/// The cache of one sequence after prefill. Owns its memory until closed. Used by the engine's
/// thread only.
public interface SequenceCache extends AutoCloseable {
    /// Number of tokens in the cache.
    int length();

    /// Maximum number of tokens.
    int capacity();

    /// Number of tokens that fit before [DecodeCache#makeRoom] must be called; 0 at capacity.
    int room();

    /// Counts one new token and returns where it is written.
    ///
    /// @throws IllegalStateException if there is no room
    NewRow advance();

    /// True if steps select from an index; false while attention reads every token.
    boolean isIndexed();

    /// The tables that rotate its positions.
    LayerRotaries rotary();

    /// The size that has memory now.
    SequenceSize size();

    /// The size that the sequence must have before its next token: [#size], or a larger one if
    /// [#room] is 0 below its capacity and the memory does not suffice to make room.
    SequenceSize neededSize();

    /// Adds memory. Waits for the backend. Its slot in a batch must be joined again. After a failure
    /// the sequence is usable as before, and may hold some of the memory.
    ///
    /// @param larger a size that [#neededSize] returned
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    void grow(SequenceSize larger);

    /// Bytes of device memory that [#grow] takes for a while in addition to the larger size.
    long growthBytes(SequenceSize larger);

    /// How its device memory is given to other sequences for a while.
    Parking parking();

    /// Bytes currently allocated.
    long bytes(Backend.Place place);

    /// Units selected and missed since prefill, summed over layers and heads. Waits for the
    /// backend.
    Selections selections();

    /// What each layer has selected and fetched; empty while nothing is selected. Waits for the
    /// backend.
    List<LayerFetches> fetches();

    /// Copies the sequence to memory of its own. Waits for the backend.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    SequenceCache copy();

    /// Returns a sequence that continues this one with tokens of its own. It may share memory with
    /// this one, which must stay open and must not change until the fork is closed. Waits for the
    /// backend.
    ///
    /// Under ShadowKV the fork of an indexed sequence shares the index and the values. Its new tokens
    /// never join the index: they stay resident, and attention to them is exact.
    ///
    /// @param newTokens maximum number of new tokens
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    SequenceCache fork(int newTokens);

    /// The memory that [#fork] allocates.
    List<CacheStrategy.Allocation> forkFootprint(int newTokens);

    /// True if [#extend] takes this number of tokens. Otherwise the tokens must be decoded, or the
    /// whole sequence read again.
    boolean canExtend(int tokens);

    /// Opens the reading of further tokens, many rows at a time. They attend to all tokens before them,
    /// or to some if they are many and prompts are read sparsely; under ShadowKV the keys of indexed
    /// tokens are restored from their low-rank form. The sequence must not be used until the returned
    /// cache is sealed, which adds the tokens and returns this sequence, or closed, which leaves the
    /// sequence as it was.
    ///
    /// @param tokens number of tokens that [#canExtend] takes
    /// @throws io.shadowkv.op.BackendMemoryException if the memory for one layer's keys and values is
    ///     not available
    PromptCache extend(int tokens);

    /// What the sequence consists of now.
    SequenceState state();

    /// True if forks share memory with this sequence.
    boolean isShared();

    @Override
    void close();

    /// Gives the device memory of a sequence to others.
    interface Parking {
        /// Bytes of host memory that [#park] takes.
        long parkedBytes();

        /// Moves everything that lies in device memory to host memory. Waits for the backend. Until
        /// [#resume], the sequence must not be used except to be closed.
        ///
        /// @throws io.shadowkv.op.BackendMemoryException if the host has too little memory; nothing
        ///     has changed then
        void park();

        /// True between [#park] and [#resume].
        boolean isParked();

        /// Moves a parked sequence back, exactly as it was. Waits for the backend.
        ///
        /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; the
        ///     sequence is parked then
        void resume();
    }

    /// Where a new token is written; see [io.shadowkv.op.StepRows].
    ///
    /// @param shifts how many rows further the token is written in layers whose regions have other
    ///     extents, one for each further kind of layer; empty if the row is the same in
    ///     all layers
    record NewRow(int position, int writeRow, int attended, int units, List<Integer> shifts) {
        /// A row that is the same in all layers.
        public NewRow(int position, int writeRow, int attended, int units) {
            this(position, writeRow, attended, units, List.of());
        }
    }

    /// @param selected units selected over all steps, layers and key-value heads
    /// @param missed selected units that were not resident
    record Selections(long selected, long missed) {}
}
