/// What is kept of a sequence, and what attention gets to read: one sealed spec, two strategies behind one seam.
///
/// In: keys and values, layer by layer. Out: attention over what the strategy offers. Called by `model`
/// (layers) and `engine` (lifetimes, memory plan). Next stop: `cache.full`, `cache.shadow`.
@NullMarked
package io.shadowkv.cache;

import org.jspecify.annotations.NullMarked;
