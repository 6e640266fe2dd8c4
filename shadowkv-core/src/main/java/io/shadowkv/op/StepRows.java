package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;

/// The rows of one decode wave: one new token of each of `count` different sequences. All values are known to
/// the host before the step and uploaded with it; what depends on data (selections) never passes through here.
///
/// A row of slot -1 pads the wave to a size that was recorded: operations pass over it, read nothing for it and
/// leave its outputs open (its other fields are 0).
///
/// @param count rows r
/// @param slots I32 `[r]`, slot of each row's sequence in every [SlotTable]
/// @param positions I32 `[r]`, position of the new token in its sequence
/// @param writeRows I32 `[r]`, row of the attended region that takes the new key and value
/// @param attended I32 `[r]`, rows of the attended region that are valid, the new one included
/// @param units I32 `[r]`, units in the index (landmarks) of each sequence; 0 where nothing is selected
public record StepRows(int count, Tensor slots, Tensor positions, Tensor writeRows, Tensor attended, Tensor units) {
    /// Rows `from` until `from + length`.
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
