/// What operations share when they enqueue: kernels by source, scratch memory, copies, slot tables, fetches under way.
@NullMarked
package io.shadowkv.cuda.launch;

import org.jspecify.annotations.NullMarked;
