package io.shadowkv.cache;

/// What a sequence is allocated for.
///
/// @param capacityTokens tokens it may reach, generated ones included
/// @param deviceValueLayers leading layers whose offloaded values stay in device memory instead of in host
///     memory; a strategy that offloads nothing takes no notice
public record SequenceSize(int capacityTokens, int deviceValueLayers) {
    public SequenceSize {
        if (capacityTokens < 1 || deviceValueLayers < 0) {
            throw new IllegalArgumentException("a sequence of " + capacityTokens + " tokens with the values of "
                    + deviceValueLayers + " layers on the device; expected 1 or more tokens and 0 or more layers");
        }
    }

    /// A sequence whose offloaded values all lie in host memory.
    public static SequenceSize of(int capacityTokens) {
        return new SequenceSize(capacityTokens, 0);
    }
}
