/// Converts text to token ids and back, and conversations to prompts.
///
/// In: the tokenizer files of a checkpoint folder (`tokenizer.json` or the original
/// `tokenizer.model`, and `tokenizer_config.json`), prompts and messages. Out: token ids, and text
/// in pieces. Called by `engine`. Next stop: `model`, which turns ids into embeddings.
@NullMarked
package io.shadowkv.text;

import org.jspecify.annotations.NullMarked;
