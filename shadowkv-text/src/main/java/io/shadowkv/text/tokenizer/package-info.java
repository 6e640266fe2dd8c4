/// Tokenizers by file format: `tokenizer.json`, ranked byte pairs, SentencePiece.
///
/// In: a checkpoint folder. Out: a [io.shadowkv.text.Tokenizer].
@NullMarked
package io.shadowkv.text.tokenizer;

import org.jspecify.annotations.NullMarked;
