package io.shadowkv.engine;

/// How often sequences lost their memory to others since the engine was opened.
///
/// @param parked times that a sequence was moved to host memory, and back later
/// @param replayed times that the memory of a sequence was freed, so that it was read and decoded
///     again
public record Preemptions(long parked, long replayed) {
    public Preemptions plus(Preemptions other) {
        return new Preemptions(parked + other.parked, replayed + other.replayed);
    }
}
