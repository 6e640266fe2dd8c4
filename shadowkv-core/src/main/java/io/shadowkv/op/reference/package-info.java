/// The judge: every operation once, slow and obvious, in plain loops over `double` on one thread.
///
/// In: tensors of any floating type, read element by element. Out: the exact result rounded once to the
/// target's type. Fast backends are tested against it by the same test bodies; it also runs whole (tiny)
/// models. Called through `ServiceLoader` when asked for by name. Next stop: `io.shadowkv.cache`.
@NullMarked
package io.shadowkv.op.reference;

import org.jspecify.annotations.NullMarked;
