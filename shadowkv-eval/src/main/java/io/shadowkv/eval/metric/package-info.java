/// Scoring of answers: the official metrics of the suites, and the paper's own.
///
/// In: an unmodified answer and its references. Out: a share from 0 to 1, equal to the Python
/// original's for every pair. Suites give one or several [io.shadowkv.eval.Metric]s to each
/// question; next stop: the examiner, which calls them.
///
/// Ready-made metrics: [io.shadowkv.eval.metric.RulerMetrics],
/// [io.shadowkv.eval.metric.PaperMetrics], [io.shadowkv.eval.metric.LongBenchMetrics],
/// [io.shadowkv.eval.metric.RougeLsum]. Write a new metric that compares with one reference at a
/// time as a [io.shadowkv.eval.metric.BestReference].
@NullMarked
package io.shadowkv.eval.metric;

import org.jspecify.annotations.NullMarked;
