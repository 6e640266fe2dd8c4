/// Memory and time on the host: the code that backends computing on the host's processor share.
///
/// In: requests for memory, and operations to time. Out: off-heap tensors and nanoseconds. Called by the reference
/// backend and the CPU backend. Next: [io.shadowkv.op.reference].
@NullMarked
package io.shadowkv.op.host;

import org.jspecify.annotations.NullMarked;
