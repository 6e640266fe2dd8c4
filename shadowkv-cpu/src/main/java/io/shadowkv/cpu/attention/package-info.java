/// Exact attention on the CPU: tiles of query rows in prefill, one row per sequence in decode.
@NullMarked
package io.shadowkv.cpu.attention;

import org.jspecify.annotations.NullMarked;
