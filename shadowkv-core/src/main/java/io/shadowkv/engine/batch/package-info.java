/// Batches of sequences: admission, the memory plan and its ledger, prefill in units, the rows of
/// each decode step, the draw of tokens, and prompts that are kept for others.
///
/// In: requests. Out: tokens and failures, each for its own sequence. Used by one thread. Called by
/// [io.shadowkv.engine.serve] and [io.shadowkv.engine.study].
@NullMarked
package io.shadowkv.engine.batch;

import org.jspecify.annotations.NullMarked;
