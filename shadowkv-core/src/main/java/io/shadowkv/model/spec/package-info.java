/// Model families as data: shapes, rotary scaling and weight names, read from `config.json`.
///
/// In: a checkpoint's configuration. Out: a [io.shadowkv.model.spec.DecoderSpec]. Next: [io.shadowkv.model].
@NullMarked
package io.shadowkv.model.spec;

import org.jspecify.annotations.NullMarked;
