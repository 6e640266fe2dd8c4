/// Operations on rows outside attention: linear layers, by this project's kernels or cuBLASLt, and
/// element-wise kernels.
@NullMarked
package io.shadowkv.cuda.linear;

import org.jspecify.annotations.NullMarked;
