package io.shadowkv.cache;

/// The size that a sequence is allocated for.
///
/// @param capacityTokens maximum number of tokens, including generated ones
/// @param deviceValueLayers number of leading layers whose offloaded values stay in device memory
///     instead of host memory; ignored by a strategy that does not offload
public record SequenceSize(int capacityTokens, int deviceValueLayers) {
    public SequenceSize {
        if (capacityTokens < 1 || deviceValueLayers < 0) {
            throw new IllegalArgumentException("a sequence of " + capacityTokens + " tokens with the values of "
                    + deviceValueLayers + " layers on the device; expected 1 or more tokens and 0 or more layers");
        }
    }

    /// The size of a sequence whose offloaded values all lie in host memory.
    public static SequenceSize of(int capacityTokens) {
        return new SequenceSize(capacityTokens, 0);
    }
}
