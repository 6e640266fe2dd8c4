/// Measurements of the engine itself: strategies compared on the same prompts, divergence, logits, hand-made batches.
///
/// Called by the evaluation, the demo, benchmarks and golden tests; a plain completion does not need it.
@NullMarked
package io.shadowkv.engine.study;

import org.jspecify.annotations.NullMarked;
