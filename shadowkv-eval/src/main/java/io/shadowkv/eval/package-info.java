/// Evaluates an engine on tasks with known answers.
///
/// In: names of tasks. A [io.shadowkv.eval.Suite] opens each as an [io.shadowkv.eval.EvalTask],
/// which returns [io.shadowkv.eval.Sample]s; an [io.shadowkv.eval.run.Examiner] answers them with
/// every [io.shadowkv.eval.Method]. Out: [io.shadowkv.eval.run.AnswerRecord]s, appended to an
/// [io.shadowkv.eval.run.AnswerLog], from which a later run resumes and a report is made.
/// [io.shadowkv.eval.catalog.TaskCatalog] lists the suites, each in a package of its own. An
/// [io.shadowkv.eval.run.EvalRun] distributes a plan's samples to examiners. Called by the command
/// line; next stop: `io.shadowkv.engine`, which generates the answers.
@NullMarked
package io.shadowkv.eval;

import org.jspecify.annotations.NullMarked;
