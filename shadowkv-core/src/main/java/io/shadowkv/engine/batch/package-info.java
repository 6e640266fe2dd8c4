/// Batches of sequences: admission, the memory plan, prefill, and the rows of each decode step.
///
/// In: requests. Out: tokens. Called by [io.shadowkv.engine.serve] and [io.shadowkv.engine.study].
@NullMarked
package io.shadowkv.engine.batch;

import org.jspecify.annotations.NullMarked;
