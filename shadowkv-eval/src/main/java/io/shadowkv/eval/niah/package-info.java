/// Needles in long running text: the paper's pressure test over lengths and depths, and several
/// questions about one text.
///
/// In: a model's tokenizer, its prompt format and a length. Out: samples whose labels `context` and
/// `depth` are their position on the heat map. Called by [io.shadowkv.eval.catalog.TaskCatalog];
/// next stop: [io.shadowkv.eval.needle], which makes the texts with several questions.
@NullMarked
package io.shadowkv.eval.niah;

import org.jspecify.annotations.NullMarked;
