/// Plots as inline SVG, without a library, coloured by the page they stand in; a
/// [io.shadowkv.report.plot.Figure] as a bitmap too, where there is `java.desktop`.
///
/// In: numbers with their names. Out: one `<svg>` element as text, with a title and a description for
/// screen readers; classes, not colours, so that a page's style sheet serves light and dark.
/// [io.shadowkv.report.plot.PlotStyle] holds that sheet. Called by the command line's reports.
@NullMarked
package io.shadowkv.report.plot;

import org.jspecify.annotations.NullMarked;
