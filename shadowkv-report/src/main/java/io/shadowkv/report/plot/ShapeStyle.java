package io.shadowkv.report.plot;

/// How a shape of a [Figure] is drawn. Colours are names from [PlotStyle], so that a page, a file
/// and a bitmap use the same ones.
///
/// @param fill name of the colour inside; empty for none
/// @param stroke name of the colour of the outline; empty for none
/// @param width width of the outline in pixels
/// @param isDashed whether the outline is dashed
public record ShapeStyle(String fill, String stroke, double width, boolean isDashed) {
    static ShapeStyle filled(String colour) {
        return new ShapeStyle(colour, "", 0, false);
    }

    static ShapeStyle stroked(String colour, double width) {
        return new ShapeStyle("", colour, width, false);
    }

    static ShapeStyle dashed(String colour, double width) {
        return new ShapeStyle("", colour, width, true);
    }

    /// The same style as CSS declarations.
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
