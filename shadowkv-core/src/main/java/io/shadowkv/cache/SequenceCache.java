package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;

/// What is kept of one sequence after its prompt. Owns its memory until closed; used by the engine's thread only.
public interface SequenceCache extends AutoCloseable {
    /// Tokens held.
    int length();

    /// Tokens that may be held.
    int capacity();

    /// Tokens that can be taken before [DecodeCache#makeRoom] is due; 0 at capacity.
    int room();

    /// Takes note of one new token and says where it goes.
    ///
    /// @throws IllegalStateException if there is no room
    NewRow advance();

    /// True if steps select from an index; false while everything is attended to.
    boolean isIndexed();

    /// Tables its positions rotate by.
    Rotary rotary();

    /// Bytes held now.
    long bytes(Backend.Place place);

    /// Units selected and missed since the prompt, all layers and heads; waits for the backend.
    Selections selections();

    /// A sequence with the same contents in memory of its own. Waits for the backend.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    SequenceCache copy();

    @Override
    void close();

    /// Where a new token goes; see [io.shadowkv.op.StepRows].
    record NewRow(int position, int writeRow, int attended, int units) {}

    /// @param selected units selected over all steps, layers and key-value heads
    /// @param missed those that were not resident
    record Selections(long selected, long missed) {}
}
