package io.shadowkv.report.plot;

import java.util.List;

/// The surface that a [Figure] draws on: SVG or a bitmap. Coordinates are pixels from the upper
/// left
/// corner.
public interface Canvas {
    void rect(double x, double y, double width, double height, Ink ink);

    void line(double x1, double y1, double x2, double y2, Ink ink);

    void circle(double x, double y, double radius, Ink ink);

    /// Draws a line through one or more points.
    void polyline(List<Spot> spots, Ink ink);

    void text(double x, double y, Lettering lettering, String content);

    /// Draws text rotated 90 degrees counterclockwise around its anchor.
    void upright(double x, double y, Lettering lettering, String content);

    /// Adds an invisible area with a tooltip, if the medium has tooltips.
    void hint(double x, double y, double width, double height, String content);

    /// A position.
    record Spot(double x, double y) {}

    /// The alignment of text relative to its position.
    enum Anchor {
        START,
        MIDDLE,
        END
    }

    /// @param colour name of a colour of [PlotStyle]
    /// @param size pixels
    record Lettering(String colour, double size, boolean isBold, Anchor anchor) {
        static final Lettering TICK = new Lettering("muted", 11, false, Anchor.MIDDLE);
        static final Lettering LABEL = new Lettering("ink", 12, false, Anchor.START);

        Lettering at(Anchor place) {
            return new Lettering(colour, size, isBold, place);
        }

        Lettering in(String other) {
            return new Lettering(other, size, isBold, anchor);
        }

        Lettering sized(double pixels) {
            return new Lettering(colour, pixels, isBold, anchor);
        }

        Lettering bold() {
            return new Lettering(colour, size, true, anchor);
        }
    }
}
