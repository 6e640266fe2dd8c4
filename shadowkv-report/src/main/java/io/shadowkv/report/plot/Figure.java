package io.shadowkv.report.plot;

/// A picture described once and drawn as SVG or as a bitmap.
public interface Figure extends Drawing {
    /// Unique in the page; a file name too, so letters, digits and hyphens.
    @Override
    String id();

    /// Pixels.
    int width();

    /// Pixels.
    int height();

    void draw(Canvas canvas);

    @Override
    default String inlineSvg() {
        var canvas = new SvgCanvas(new Svg(id(), width(), height(), title(), description()));
        draw(canvas);
        return canvas.toString();
    }

    /// An SVG file that stands alone, light or dark as its reader prefers.
    default String svgFile() {
        var svg = new Svg(id(), width(), height(), title(), description());
        svg.raw("<style>" + PlotStyle.COLOURS + PlotStyle.RULES + "</style>\n");
        var canvas = new SvgCanvas(svg);
        canvas.rect(0, 0, width(), height(), Ink.filled("card"));
        draw(canvas);
        String sized = "<svg width=\"" + width() + "\" height=\"" + height() + "\"";
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                + canvas.toString().replaceFirst("<svg", sized);
    }
}
