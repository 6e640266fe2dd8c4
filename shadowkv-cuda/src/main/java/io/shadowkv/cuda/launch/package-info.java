/// What operations share when they enqueue work: kernels by source, scratch memory, copies, slot
/// tables, and fetches in progress.
@NullMarked
package io.shadowkv.cuda.launch;

import org.jspecify.annotations.NullMarked;
