/// The caches of keys and values: one sealed spec and two strategies behind one interface.
///
/// In: keys and values, layer by layer. Out: attention over the tokens that the strategy provides.
/// Called by `model` (layers) and `engine` (lifetimes, memory plan). Next stop: `cache.full`,
/// `cache.shadow`.
@NullMarked
package io.shadowkv.cache;

import org.jspecify.annotations.NullMarked;
