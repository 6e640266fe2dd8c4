/// NVIDIA's libraries as Java sees them: one final class a library, a method's name is the C function's.
///
/// In: addresses, sizes, segments. Out: the same, with every status checked. Libraries are found by path when
/// opened, symbols when first called. Called by `cuda`. Next stop: `io.shadowkv.cuda`.
@NullMarked
package io.shadowkv.cuda.ffi;

import org.jspecify.annotations.NullMarked;
