/// InfiniteBench's twelve tasks from its published files, and its metrics.
///
/// In: `infinitebench/<task>.jsonl` in the data folder. Out: samples of one turn, cut in the middle to
/// what the context has room for. The metrics serve SCBench too, which took them over. Called by
/// [io.shadowkv.eval.catalog.TaskCatalog]; next stop: [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.infinitebench;

import org.jspecify.annotations.NullMarked;
