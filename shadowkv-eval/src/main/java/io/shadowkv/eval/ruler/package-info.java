/// RULER's 13 tasks, in NVIDIA's current version and in the older one of the paper's code.
///
/// In: a tokenizer, a prompt format, a length, a seed; texts and question files of the user. Out: a
/// [io.shadowkv.eval.ruler.RulerRow] for every index, which is an [io.shadowkv.eval.Sample] and a
/// line of RULER's own JSONL. [io.shadowkv.eval.ruler.RulerSuite] opens tasks;
/// [io.shadowkv.eval.ruler.RulerFile] reads written files. Inside, a `Generator` for each family of
/// tasks drafts texts of any size, `SizeSearch` finds the size that fills the context in the
/// version's way, and `Frame` adds the template and counts tokens. Called by
/// [io.shadowkv.eval.catalog.TaskCatalog] and `ruler build`; next stop: [io.shadowkv.eval.needle]
/// for sentences and random sampling, [io.shadowkv.eval.text] for files.
@NullMarked
package io.shadowkv.eval.ruler;

import org.jspecify.annotations.NullMarked;
