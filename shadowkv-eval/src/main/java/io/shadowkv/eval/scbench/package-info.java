/// SCBench: several questions about one long text, asked one after the other or separately.
///
/// In: `scbench/<task>.jsonl` in the data folder. Out: samples of up to five turns, with the text
/// cut in the middle to the room in the context. Called by [io.shadowkv.eval.catalog.TaskCatalog];
/// next stop: [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.scbench;

import org.jspecify.annotations.NullMarked;
