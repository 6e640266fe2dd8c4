/// The index of one layer under ShadowKV: what a step compares with the queries.
///
/// In: the rotated keys of a layer's context, and of later tokens. Out: the view of the index that
/// the operations of a step score. Called by `cache.shadow`. Next stop:
/// `io.shadowkv.op.ShadowOperations`.
@NullMarked
package io.shadowkv.cache.shadow.index;

import org.jspecify.annotations.NullMarked;
