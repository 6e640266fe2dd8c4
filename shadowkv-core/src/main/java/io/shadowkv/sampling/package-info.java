/// Draws a token id from logits: penalties, temperature, truncation, random draw.
///
/// In: one row of logits and the ids so far. Out: a token id, reproducible from a seed. Called by `engine`.
/// Next stop: `io.shadowkv.engine`.
@NullMarked
package io.shadowkv.sampling;

import org.jspecify.annotations.NullMarked;
