/// One GPU: context, queues, device and page-locked memory, compiled kernels, recorded steps.
///
/// In: allocations, launches, copies. Out: work on the queues of the device. Next:
/// `io.shadowkv.cuda.launch`.
@NullMarked
package io.shadowkv.cuda.device;

import org.jspecify.annotations.NullMarked;
