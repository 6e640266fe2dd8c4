/// Tasks whose answers are known, and how well an engine answers them.
///
/// In: a tokenizer's count, a prompt format and a seed give [io.shadowkv.eval.Sample]s, long texts with needles
/// and questions about them. Out: a score per answer, appended to a file that a later run resumes. Called by
/// the command line's `demo` and `needle`; next stop: `io.shadowkv.engine`, which answers.
///
/// A further family of tasks adds its own generator of [io.shadowkv.eval.Sample]s; runner, log and scores stay.
@NullMarked
package io.shadowkv.eval;

import org.jspecify.annotations.NullMarked;
