/// What a folder of answers says: tables and figures for people, as one HTML page, as Markdown, as SVG and
/// PNG.
///
/// In: the logs and run descriptions of a folder ([io.shadowkv.eval.report.RunFolder]). Answers are put in
/// order ([io.shadowkv.eval.statistics.Grid]), estimated with intervals ([io.shadowkv.eval.statistics.Intervals],
/// [io.shadowkv.eval.statistics.PairedComparison]) and laid out as a [io.shadowkv.report.page.Page] that knows
/// nothing of HTML; [io.shadowkv.report.page.HtmlPage] and [io.shadowkv.report.page.MarkdownPage] write
/// the same page, so their numbers cannot differ. Out: files, by [io.shadowkv.eval.report.Report]. Called
/// by the command line.
@NullMarked
package io.shadowkv.eval.report;

import org.jspecify.annotations.NullMarked;
