/// Measurements of the engine: comparison of strategies on the same prompts, divergence, logits,
/// and batches that the caller controls.
///
/// Called by the evaluation, the demo, benchmarks and golden tests; a plain completion does not need it.
@NullMarked
package io.shadowkv.engine.study;

import org.jspecify.annotations.NullMarked;
