package io.shadowkv.report.plot;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Draws into an [Svg].
final class SvgCanvas implements Canvas {
    private final Svg svg;

    SvgCanvas(Svg svg) {
        this.svg = svg;
    }

    @Override
    public void rect(double x, double y, double width, double height, ShapeStyle ink) {
        svg.raw("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" style=\"%s\"/>\n"
                .formatted(Svg.number(x), Svg.number(y), Svg.number(width), Svg.number(height), ink.css()));
    }

    @Override
    public void line(double x1, double y1, double x2, double y2, ShapeStyle ink) {
        svg.raw("<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" style=\"%s\"/>\n"
                .formatted(Svg.number(x1), Svg.number(y1), Svg.number(x2), Svg.number(y2), ink.css()));
    }

    @Override
    public void circle(double x, double y, double radius, ShapeStyle ink) {
        svg.raw("<circle cx=\"%s\" cy=\"%s\" r=\"%s\" style=\"%s\"/>\n"
                .formatted(Svg.number(x), Svg.number(y), Svg.number(radius), ink.css()));
    }

    @Override
    public void polyline(List<Position> spots, ShapeStyle ink) {
        String points = spots.stream()
                .map(spot -> Svg.number(spot.x()) + "," + Svg.number(spot.y()))
                .collect(Collectors.joining(" "));
        svg.raw("<polyline points=\"%s\" style=\"%s;stroke-linejoin:round\"/>\n".formatted(points, ink.css()));
    }

    @Override
    public void text(double x, double y, TextStyle lettering, String content) {
        svg.raw("<text x=\"%s\" y=\"%s\" %s>%s</text>\n"
                .formatted(Svg.number(x), Svg.number(y), attributes(lettering), Svg.escape(content)));
    }

    @Override
    public void rotatedText(double x, double y, TextStyle lettering, String content) {
        svg.raw("<text transform=\"translate(%s %s) rotate(-90)\" %s>%s</text>\n"
                .formatted(Svg.number(x), Svg.number(y), attributes(lettering), Svg.escape(content)));
    }

    @Override
    public void hint(double x, double y, double width, double height, String content) {
        svg.hinted(x, y, width, height, "hit", content);
    }

    private static String attributes(TextStyle lettering) {
        return "text-anchor=\"%s\" style=\"fill:var(--%s);font-size:%spx%s\""
                .formatted(
                        lettering.anchor().name().toLowerCase(Locale.ROOT),
                        lettering.colour(),
                        Svg.number(lettering.size()),
                        lettering.isBold() ? ";font-weight:600" : "");
    }

    @Override
    public String toString() {
        return svg.toString();
    }
}
