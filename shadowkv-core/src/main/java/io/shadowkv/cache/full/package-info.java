/// Full attention: the strategy that keeps every key and value in device memory.
///
/// In: keys and values. Out: exact attention over all of them. Called through `cache`. Next stop: `cache.shadow`.
@NullMarked
package io.shadowkv.cache.full;

import org.jspecify.annotations.NullMarked;
