/// Checkpoints in the layout of Hugging Face: safetensors shards, `config.json` and
/// `generation_config.json`.
///
/// In: a folder. Out: [Tensor][io.shadowkv.tensor.Tensor] views of the mapped files (never a copy) and
/// checked configuration values. Called by `model` (weights, family readers), `engine` (generation
/// defaults) and the command line. Every fault of a file ends in a [CheckpointException] that names
/// the file. Next stop: `io.shadowkv.op`.
@NullMarked
package io.shadowkv.checkpoint;

import org.jspecify.annotations.NullMarked;
