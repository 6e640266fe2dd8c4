/// The decoder: weights, rotary position tables, layers, prefill and decode.
///
/// In: a checkpoint and token ids. Out: logits, and keys and values passed to the cache. Called by
/// `engine`. Next stop: `io.shadowkv.sampling`.
@NullMarked
package io.shadowkv.model;

import org.jspecify.annotations.NullMarked;
