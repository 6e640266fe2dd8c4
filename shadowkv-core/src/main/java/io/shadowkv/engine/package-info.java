/// Requests in, answers out: sequences, batches, the scheduler, the memory plan.
///
/// In: prompts (text, messages or ids) with options. Out: streamed tokens and a [Completion] each. Called by
/// the command line, the evaluation and any Java program. The last stop of a token's way.
@NullMarked
package io.shadowkv.engine;

import org.jspecify.annotations.NullMarked;
