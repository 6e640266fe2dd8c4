/// InfiniteBench's twelve tasks from its published files, and its metrics.
///
/// In: `infinitebench/<task>.jsonl` in the data folder. Out: samples of one turn, cut in the middle
/// to the room in the context. SCBench uses these metrics too. Called by
/// [io.shadowkv.eval.catalog.TaskCatalog]; next stop: [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.infinitebench;

import org.jspecify.annotations.NullMarked;
