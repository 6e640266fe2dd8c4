/// Plots as inline SVG, without a library, in the colours of the page that contains them. A
/// [io.shadowkv.report.plot.Figure] can also be a bitmap, if `java.desktop` is present.
///
/// In: numbers with their names. Out: one `<svg>` element as text, with a title and a description
/// for screen readers. The element uses classes instead of colours, so that the page's style sheet
/// decides between light and dark; [io.shadowkv.report.plot.PlotStyle] has that sheet. Called by
/// the reports of the command line and of evaluations.
@NullMarked
package io.shadowkv.report.plot;

import org.jspecify.annotations.NullMarked;
