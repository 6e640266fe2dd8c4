/// The decoder: families as data, rotary positions, layers, prefill and decode.
///
/// In: a checkpoint and token ids. Out: logits; keys and values handed to the cache on the way. Called by
/// `engine`. Next stop: `io.shadowkv.sampling`.
@NullMarked
package io.shadowkv.model;

import org.jspecify.annotations.NullMarked;
