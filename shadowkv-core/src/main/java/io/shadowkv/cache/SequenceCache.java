package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;

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
    Rotary rotary();

    /// Bytes currently allocated.
    long bytes(Backend.Place place);

    /// Units selected and missed since prefill, summed over layers and heads. Waits for the
    /// backend.
    Selections selections();

    /// Copies the sequence to memory of its own. Waits for the backend.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    SequenceCache copy();

    @Override
    void close();

    /// Where a new token is written; see [io.shadowkv.op.StepRows].
    record NewRow(int position, int writeRow, int attended, int units) {}

    /// @param selected units selected over all steps, layers and key-value heads
    /// @param missed selected units that were not resident
    record Selections(long selected, long missed) {}
}
