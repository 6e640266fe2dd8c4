package io.shadowkv.report.plot;

/// A picture with one description that can be drawn as SVG or as a bitmap.
public interface Figure {
    /// Unique in the page and used as a file name: only letters, digits and hyphens.
    String id();

    /// The title for screen readers.
    String title();

    /// Describes in a sentence what the picture shows, with its numbers.
    String description();

    /// Width in pixels.
    int width();

    /// Height in pixels.
    int height();

    void draw(Canvas canvas);

    /// Returns an `<svg>` element for a page that has [PlotStyle]'s colours and rules.
    default String inlineSvg() {
        var canvas = new SvgCanvas(new Svg(id(), width(), height(), title(), description()));
        draw(canvas);
        return canvas.toString();
    }

    /// Returns a standalone SVG file, light or dark according to the reader's preference.
    default String svgFile() {
        var svg = new Svg(id(), width(), height(), title(), description());
        svg.raw("<style>" + PlotStyle.COLOURS + PlotStyle.RULES + "</style>\n");
        var canvas = new SvgCanvas(svg);
        canvas.rect(0, 0, width(), height(), ShapeStyle.filled("card"));
        draw(canvas);
        String sized = "<svg width=\"" + width() + "\" height=\"" + height() + "\"";
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                + canvas.toString().replaceFirst("<svg", sized);
    }
}
