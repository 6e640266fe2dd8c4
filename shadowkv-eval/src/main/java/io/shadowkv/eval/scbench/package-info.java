/// SCBench: several questions on one long text, asked one after the other or each by itself.
///
/// In: `scbench/<task>.jsonl` in the data folder. Out: samples of up to five turns, the text cut in the
/// middle to what the context has room for. Called by [io.shadowkv.eval.catalog.TaskCatalog]; next stop:
/// [io.shadowkv.eval.text].
@NullMarked
package io.shadowkv.eval.scbench;

import org.jspecify.annotations.NullMarked;
