/// LongBench, first and second version, from its published files.
///
/// In: a data folder with `longbench/*.jsonl` (also `longbench-e/*_e.jsonl`) and
/// `longbench-v2/data.json`. Out: samples with the official prompts, lengths and metrics. Called by
/// [io.shadowkv.eval.catalog.TaskCatalog]; next stop: [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.longbench;

import org.jspecify.annotations.NullMarked;
