/// Checkpoints as Hugging Face lays them out: safetensors shards, `config.json`, `generation_config.json`, and
/// the hub they come from.
///
/// In: a folder, or a repository's name and a hub endpoint. Out: [Tensor][io.shadowkv.tensor.Tensor] views of the
/// mapped files (never a copy) and checked configuration values. Called by `model` (weights, family readers),
/// `engine` (generation defaults) and the command line (`pull`, `logits`). Whatever a file or a server gets wrong
/// ends in a [CheckpointException] that names it. Next stop: `io.shadowkv.op`.
@NullMarked
package io.shadowkv.checkpoint;

import org.jspecify.annotations.NullMarked;
