/// Where a step's time goes: operations measured one by one, named by what they are for.
///
/// In: any backend. Out: the same backend ([io.shadowkv.op.timing.TimedBackend]), whose operations can be timed while
/// they run by the backend's own [io.shadowkv.op.Stopwatch]: events on a device, the clock on a host. Called by
/// benchmarks; nothing else pays for it. Next stop: `io.shadowkv.engine`.
@NullMarked
package io.shadowkv.op.timing;

import org.jspecify.annotations.NullMarked;
