/// Structured output: JSON of a schema, and calls of tools.
///
/// In: `response_format`, `tools` and `tool_choice` of a chat request. Out: a constraint for the
/// engine, and readers that find calls in the generated text. Next stop: `io.shadowkv.text.grammar`.
@NullMarked
package io.shadowkv.server.structured;

import org.jspecify.annotations.NullMarked;
