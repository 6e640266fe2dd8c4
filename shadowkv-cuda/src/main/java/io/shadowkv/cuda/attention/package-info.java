/// Exact attention on the GPU, for prefill and decode, and the placing of keys and values.
@NullMarked
package io.shadowkv.cuda.attention;

import org.jspecify.annotations.NullMarked;
