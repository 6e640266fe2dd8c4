/// What a folder of answers says: tables and figures for people, as one HTML page, as Markdown, as SVG and
/// PNG.
///
/// In: the logs and run descriptions of a folder ([io.shadowkv.eval.report.RunFolder]). Answers are put in
/// order ([io.shadowkv.eval.report.Grid]), estimated with intervals ([io.shadowkv.eval.report.Intervals],
/// [io.shadowkv.eval.report.PairedComparison]) and laid out as a [io.shadowkv.eval.report.Page] that knows
/// nothing of HTML; [io.shadowkv.eval.report.HtmlPage] and [io.shadowkv.eval.report.MarkdownPage] write
/// the same page, so their numbers cannot differ. Out: files, by [io.shadowkv.eval.report.Report]. Called
/// by the command line.
@NullMarked
package io.shadowkv.eval.report;

import org.jspecify.annotations.NullMarked;
