package io.shadowkv.engine;

/// The memory of all sequences at one moment: prompts being read, sequences that decode, documents,
/// conversations and kept prompts.
///
/// @param deviceBytes bytes in device memory
/// @param hostBytes bytes in host memory, from which steps fetch
/// @param tokens tokens whose keys and values have this memory; those that sequences share count
///     once
/// @param limits memory that sequences may use together
public record MemoryInUse(long deviceBytes, long hostBytes, long tokens, MemoryPlan.Limits limits) {
    /// Share of the memory that is in use, from 0 to 1: that of the memory of which more is used.
    public double share() {
        return limits.hostIsDevice()
                ? share(deviceBytes + hostBytes, limits.deviceBytes())
                : Math.max(share(deviceBytes, limits.deviceBytes()), share(hostBytes, limits.hostBytes()));
    }

    private static double share(long used, long limit) {
        return used == 0 ? 0 : Math.min(1, used / (double) Math.max(1, limit));
    }
}
