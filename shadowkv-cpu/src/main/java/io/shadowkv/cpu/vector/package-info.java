/// The building blocks of all CPU operations: vectors, rows of tensors, scratch buffers, the thread
/// pool.
@NullMarked
package io.shadowkv.cpu.vector;

import org.jspecify.annotations.NullMarked;
