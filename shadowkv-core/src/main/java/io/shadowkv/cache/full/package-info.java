/// The strategy that keeps everything.
///
/// In: keys and values. Out: exact attention over all of them. Called through `cache`. Next stop: `cache.shadow`.
@NullMarked
package io.shadowkv.cache.full;

import org.jspecify.annotations.NullMarked;
