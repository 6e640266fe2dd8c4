/// Operations on rows outside attention: linear layers, by kernels of our own or cuBLASLt, and element-wise kernels.
@NullMarked
package io.shadowkv.cuda.linear;

import org.jspecify.annotations.NullMarked;
