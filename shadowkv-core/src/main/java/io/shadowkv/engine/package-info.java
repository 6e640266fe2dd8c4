/// The types of the engine's interface: requests, options, completions and memory plans.
///
/// In: prompts (text, messages or ids) with options. Out: streamed tokens and a [Completion] each.
/// Used by the command line, the evaluation and applications. Next stop: `engine.serve`.
@NullMarked
package io.shadowkv.engine;

import org.jspecify.annotations.NullMarked;
