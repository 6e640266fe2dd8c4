/// The answer of one sequence: how its tokens are drawn, its text, where stop strings end it, and the
/// times of its phases.
///
/// In: logits and token ids. Out: tokens, text, timings. Called by [io.shadowkv.engine.batch].
@NullMarked
package io.shadowkv.engine.answer;

import org.jspecify.annotations.NullMarked;
