/// The report of a folder with answers: tables and figures for readers, as one HTML page, as
/// Markdown, as SVG and PNG.
///
/// In: the logs and run descriptions of a folder ([io.shadowkv.eval.report.RunFolder]). Answers are
/// grouped ([io.shadowkv.eval.statistics.Grid]), estimated with intervals
/// ([io.shadowkv.eval.statistics.Intervals], [io.shadowkv.eval.statistics.PairedComparison]) and
/// arranged as a [io.shadowkv.report.page.Page], which is independent of HTML.
/// [io.shadowkv.report.page.HtmlPage] and [io.shadowkv.report.page.MarkdownPage] write the same
/// page, so their numbers are equal. Out: files, by [io.shadowkv.eval.report.Report]. Called by the
/// command line.
@NullMarked
package io.shadowkv.eval.report;

import org.jspecify.annotations.NullMarked;
