/// Text to token ids and back, and conversations to prompts.
///
/// In: a checkpoint folder's tokenizer files (`tokenizer.json`, or the original `tokenizer.model`, and
/// `tokenizer_config.json`), prompts and messages. Out: token ids, and text again, piece by piece. Called by
/// `engine`. Next stop: `model`, which turns ids into embeddings.
@NullMarked
package io.shadowkv.text;

import org.jspecify.annotations.NullMarked;
