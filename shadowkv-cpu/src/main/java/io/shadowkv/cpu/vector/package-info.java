/// What every CPU operation is made of: vectors, rows of tensors, scratch buffers, the thread pool.
@NullMarked
package io.shadowkv.cpu.vector;

import org.jspecify.annotations.NullMarked;
