/// ShadowKV's operations on the CPU: indexing after prefill, and the decode step.
@NullMarked
package io.shadowkv.cpu.shadow;

import org.jspecify.annotations.NullMarked;
