/// Operations on rows outside attention: linear layers, norms, activations, rotary positions.
@NullMarked
package io.shadowkv.cpu.linear;

import org.jspecify.annotations.NullMarked;
