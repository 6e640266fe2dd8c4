/// Text to token ids and back: tokenizers, chat templates, streaming detokenisation.
///
/// In: a checkpoint folder's tokenizer files, prompts and messages. Out: token ids, and text again, never half a character.
/// Called by `engine`. Next stop: `io.shadowkv.model`.
@NullMarked
package io.shadowkv.text;

import org.jspecify.annotations.NullMarked;
