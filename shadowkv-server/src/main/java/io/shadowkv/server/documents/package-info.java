/// Documents that are read once and kept for questions about them.
///
/// In: texts or token ids. Out: kept documents, and prompts that begin with their tokens. Called by
/// the endpoints. Next stop: the engine.
@NullMarked
package io.shadowkv.server.documents;

import org.jspecify.annotations.NullMarked;
