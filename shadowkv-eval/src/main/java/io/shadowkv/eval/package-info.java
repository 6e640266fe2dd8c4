/// Tasks whose answers are known, and how well an engine answers them.
///
/// In: names of tasks. A [io.shadowkv.eval.Suite] opens each as an [io.shadowkv.eval.EvalTask], which
/// gives [io.shadowkv.eval.Sample]s; an [io.shadowkv.eval.run.Examiner] answers them under every
/// [io.shadowkv.eval.Method]. Out: [io.shadowkv.eval.run.AnswerRecord]s, appended to an
/// [io.shadowkv.eval.run.AnswerLog] that a later run resumes and a report reads;
/// [io.shadowkv.eval.catalog.TaskCatalog] lists the suites, each in a package of its own. An
/// [io.shadowkv.eval.run.EvalRun] shares a plan's samples between examiners. Called by the command line; next
/// stop: `io.shadowkv.engine`, which answers.
@NullMarked
package io.shadowkv.eval;

import org.jspecify.annotations.NullMarked;
