/// Bindings of NVIDIA's libraries: one final class per library, with the names of the C functions
/// as names of methods.
///
/// In: addresses, sizes, segments. Out: the same, with every status checked. Opening a library
/// finds it by path; the first call of a function finds its symbol. Called by `cuda`. Next:
/// `io.shadowkv.cuda.device`.
@NullMarked
package io.shadowkv.cuda.ffi;

import org.jspecify.annotations.NullMarked;
