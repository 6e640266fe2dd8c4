/// The entry point: opens a backend and a model, completes requests, and keeps conversations.
///
/// In: a checkpoint folder and requests. Out: completions. Called by applications.
@NullMarked
package io.shadowkv.engine.serve;

import org.jspecify.annotations.NullMarked;
