/// Sequences that run together: admission, the memory plan, reading, and the rows of each decode step.
///
/// In: requests. Out: tokens. Called by [io.shadowkv.engine.serve] and [io.shadowkv.engine.study].
@NullMarked
package io.shadowkv.engine.batch;

import org.jspecify.annotations.NullMarked;
