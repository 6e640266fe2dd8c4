package io.shadowkv.report.plot;

/// How a shape of a [Figure] is drawn: names of [PlotStyle]'s colours, so that a page, a file and a bitmap
/// agree.
///
/// @param fill name of the colour inside; empty for none
/// @param stroke name of the colour of the outline; empty for none
/// @param width of the outline, pixels
/// @param isDashed whether the outline is broken
public record Ink(String fill, String stroke, double width, boolean isDashed) {
    static Ink filled(String colour) {
        return new Ink(colour, "", 0, false);
    }

    static Ink stroked(String colour, double width) {
        return new Ink("", colour, width, false);
    }

    static Ink dashed(String colour, double width) {
        return new Ink("", colour, width, true);
    }

    /// The same as declarations of a style sheet.
    String css() {
        StringBuilder css = new StringBuilder("fill:").append(fill.isEmpty() ? "none" : "var(--" + fill + ")");
        if (!stroke.isEmpty()) {
            css.append(";stroke:var(--")
                    .append(stroke)
                    .append(");stroke-width:")
                    .append(Svg.number(width));
        }
        return isDashed ? css.append(";stroke-dasharray:6 4").toString() : css.toString();
    }
}
