/// Checkpoint folders in the Hugging Face layout: mapped safetensors, config.json, generation_config.json, and fetching them.
///
/// In: a folder, or a hub's name of one. Out: checked tensors that view the mapped files (never a second copy of the weights).
/// Called by `model` and `engine`. Next stop: `io.shadowkv.op`.
@NullMarked
package io.shadowkv.checkpoint;

import org.jspecify.annotations.NullMarked;
