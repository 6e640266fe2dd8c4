package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// The rows of one decode wave: one new token of each of `count` different sequences. The host
/// knows all values before the step and uploads them with it. Selections, which depend on the data,
/// are never part of it.
///
/// A row with slot -1 pads the wave to a recorded size. Operations skip it: they read nothing for
/// it, and its outputs are unspecified. Its other fields are 0.
///
/// @param count rows r
/// @param slots I32 `[r]`, slot of each row's sequence in every [SlotTable]
/// @param positions I32 `[r]`, position of the new token in its sequence
/// @param writeRows I32 `[r]`, row of the attended region that the new key and value are written to
/// @param attended I32 `[r]`, number of valid rows of the attended region, including the new one
/// @param units I32 `[r]`, number of units (landmarks) in the index of each sequence; 0 if nothing
///     is selected
public record StepRows(int count, Tensor slots, Tensor positions, Tensor writeRows, Tensor attended, Tensor units) {
    /// Rows `from` to `from + length` (exclusive).
    public StepRows slice(int from, int length) {
        return new StepRows(
                length,
                slots.slice(from, length),
                positions.slice(from, length),
                writeRows.slice(from, length),
                attended.slice(from, length),
                units.slice(from, length));
    }
}
