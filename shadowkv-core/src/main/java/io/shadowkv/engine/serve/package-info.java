/// The entry point: opens a backend and a model, takes requests from any thread, and keeps
/// conversations and documents. One thread of the engine computes.
///
/// In: a checkpoint folder and requests. Out: events and completions. Called by applications. Next
/// stop: `engine.batch`.
@NullMarked
package io.shadowkv.engine.serve;

import org.jspecify.annotations.NullMarked;
