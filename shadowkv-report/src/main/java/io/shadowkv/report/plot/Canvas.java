package io.shadowkv.report.plot;

import java.util.List;

/// The surface that a [Figure] draws on: SVG or a bitmap. Coordinates are pixels from the upper
/// left corner.
public interface Canvas {
    void rect(double x, double y, double width, double height, ShapeStyle ink);

    void line(double x1, double y1, double x2, double y2, ShapeStyle ink);

    void circle(double x, double y, double radius, ShapeStyle ink);

    /// Draws a line through one or more points.
    void polyline(List<Position> spots, ShapeStyle ink);

    void text(double x, double y, TextStyle lettering, String content);

    /// Draws text rotated 90 degrees counterclockwise around its anchor.
    void rotatedText(double x, double y, TextStyle lettering, String content);

    /// Adds an invisible area with a tooltip, if the medium has tooltips.
    void hint(double x, double y, double width, double height, String content);

    /// A position.
    record Position(double x, double y) {}

    /// The alignment of text relative to its position.
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    /// @param colour name of a colour of [PlotStyle]
    /// @param size pixels
    record TextStyle(String colour, double size, boolean isBold, Anchor anchor) {
        static final TextStyle TICK = new TextStyle("muted", 11, false, Anchor.MIDDLE);
        static final TextStyle LABEL = new TextStyle("ink", 12, false, Anchor.START);

        TextStyle at(Anchor place) {
            return new TextStyle(colour, size, isBold, place);
        }

        TextStyle in(String other) {
            return new TextStyle(other, size, isBold, anchor);
        }

        TextStyle sized(double pixels) {
            return new TextStyle(colour, pixels, isBold, anchor);
        }

        TextStyle bold() {
            return new TextStyle(colour, size, true, anchor);
        }
    }
}
