/// Commands for one model: `inspect`, `tokenize`, `logits`, `backends`.
///
/// In: a model's folder and options. Out: text, JSON or a tensor file. Called by the root command.
@NullMarked
package io.shadowkv.cli.model;

import org.jspecify.annotations.NullMarked;
