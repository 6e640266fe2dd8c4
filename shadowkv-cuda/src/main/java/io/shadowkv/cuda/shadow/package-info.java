/// ShadowKV's operations on the GPU: indexing after prefill, and the decode step.
@NullMarked
package io.shadowkv.cuda.shadow;

import org.jspecify.annotations.NullMarked;
