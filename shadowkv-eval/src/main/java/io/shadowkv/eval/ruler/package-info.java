/// RULER's 13 tasks, in NVIDIA's current version and in the older one of the paper's code.
///
/// In: a tokenizer, a prompt format, a length, a seed; texts and question files the user has. Out: a
/// [io.shadowkv.eval.ruler.RulerRow] for every index, which is an [io.shadowkv.eval.Sample] and a line of
/// RULER's own JSONL. [io.shadowkv.eval.ruler.RulerSuite] opens tasks, [io.shadowkv.eval.ruler.RulerFile]
/// reads lines back. Inside, a `Generator` a family of tasks drafts texts of any size, `SizeSearch` finds
/// the size that fills the context as the version does, `Frame` wraps and counts. Called by
/// [io.shadowkv.eval.catalog.TaskCatalog] and `ruler build`; next stop: [io.shadowkv.eval.needle] for sentences
/// and draws, [io.shadowkv.eval.text] for files.
@NullMarked
package io.shadowkv.eval.ruler;

import org.jspecify.annotations.NullMarked;
