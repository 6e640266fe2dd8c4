/// Measures where the time of a step goes: times operations one by one and sums them by kind.
///
/// In: any backend. Out: a wrapper of the same backend ([io.shadowkv.op.timing.TimedBackend]),
/// whose operations are timed by the backend's own [io.shadowkv.op.Stopwatch]: events on a device,
/// the clock on a host. Called by benchmarks only; other uses have no overhead. Next stop:
/// `io.shadowkv.engine`.
@NullMarked
package io.shadowkv.op.timing;

import org.jspecify.annotations.NullMarked;
