/// How an answer is judged: the official metrics of the suites, and the paper's own.
///
/// In: an answer as it came, and its references. Out: a share from 0 to 1, equal to the Python original's
/// on every pair. Made by suites, one [io.shadowkv.eval.Metric] or several a question; next stop: the
/// examiner, which asks them.
///
/// Constants to use: [io.shadowkv.eval.metric.RulerMetrics], [io.shadowkv.eval.metric.PaperMetrics],
/// [io.shadowkv.eval.metric.LongBenchMetrics], [io.shadowkv.eval.metric.RougeLsum]; a new metric that
/// compares with one reference at a time is a [io.shadowkv.eval.metric.BestOf].
@NullMarked
package io.shadowkv.eval.metric;

import org.jspecify.annotations.NullMarked;
