/// The reference: every operation once, slow and obvious, in plain loops over `double` on one
/// thread.
///
/// In: tensors of any floating type, read element by element. Out: the exact result rounded once to
/// the target's type. The tests of fast backends compare with it; it also runs whole (tiny) models.
/// Called through `ServiceLoader` when requested by name. Next stop: `io.shadowkv.cache`.
@NullMarked
package io.shadowkv.op.reference;

import org.jspecify.annotations.NullMarked;
