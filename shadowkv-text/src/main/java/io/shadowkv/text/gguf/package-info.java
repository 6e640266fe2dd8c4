/// The header of a GGUF file: metadata and the list of tensors.
///
/// In: a file. Out: a [io.shadowkv.text.gguf.GgufHeader], from which `io.shadowkv.text.tokenizer`
/// makes the tokenizer and `io.shadowkv.checkpoint` configuration and weights. The format is
/// described in ggml's `docs/gguf.md`.
@NullMarked
package io.shadowkv.text.gguf;

import org.jspecify.annotations.NullMarked;
