package io.shadowkv.report.plot;

import java.util.Locale;

/// Builds an `<svg>` element. Coordinates are pixels from the upper left corner, rounded to
/// hundredths.
public final class Svg {
    private final StringBuilder out = new StringBuilder();
    private final String id;

    /// @param id unique in the page
    /// @param title for screen readers
    /// @param description says in a sentence what the picture shows
    public Svg(String id, double width, double height, String title, String description) {
        this.id = id;
        out.append("<svg class=\"plot\" role=\"img\" aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 %s %s\""
                .formatted(id, id, number(width), number(height)));
        out.append(" xmlns=\"http://www.w3.org/2000/svg\">\n");
        out.append("<title id=\"%s-t\">%s</title><desc id=\"%s-d\">%s</desc>\n"
                .formatted(id, escape(title), id, escape(description)));
    }

    /// The id, for names inside the picture that must be unique in the page.
    public String id() {
        return id;
    }

    public Svg rect(double x, double y, double width, double height, String cssClass) {
        return element(
                "rect",
                "x",
                number(x),
                "y",
                number(y),
                "width",
                number(width),
                "height",
                number(height),
                "class",
                cssClass);
    }

    public Svg line(double x1, double y1, double x2, double y2, String cssClass) {
        return element(
                "line", "x1", number(x1), "y1", number(y1), "x2", number(x2), "y2", number(y2), "class", cssClass);
    }

    public Svg circle(double x, double y, double radius, String cssClass) {
        return element("circle", "cx", number(x), "cy", number(y), "r", number(radius), "class", cssClass);
    }

    /// @param data path commands
    public Svg path(String data, String cssClass) {
        return element("path", "d", data, "class", cssClass);
    }

    /// @param anchor `start`, `middle` or `end`
    public Svg text(double x, double y, String anchor, String cssClass, String content) {
        out.append("<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" class=\"%s\">%s</text>\n"
                .formatted(number(x), number(y), anchor, cssClass, escape(content)));
        return this;
    }

    /// Adds text rotated 90 degrees counterclockwise around its anchor.
    public Svg rotatedText(double x, double y, String cssClass, String content) {
        out.append("<text transform=\"translate(%s %s) rotate(-90)\" text-anchor=\"middle\" class=\"%s\">%s</text>\n"
                .formatted(number(x), number(y), cssClass, escape(content)));
        return this;
    }

    /// Opens a group that moves and scales the elements added until [#end].
    public Svg group(double x, double y, double scaleX, double scaleY) {
        out.append("<g transform=\"translate(%s %s) scale(%s %s)\">\n"
                .formatted(number(x), number(y), precise(scaleX), precise(scaleY)));
        return this;
    }

    public Svg end() {
        out.append("</g>\n");
        return this;
    }

    /// Adds a rectangle with a tooltip.
    public Svg hinted(double x, double y, double width, double height, String cssClass, String hint) {
        out.append("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" class=\"%s\"><title>%s</title></rect>\n"
                .formatted(number(x), number(y), number(width), number(height), cssClass, escape(hint)));
        return this;
    }

    /// Adds verbatim markup, such as definitions.
    Svg raw(String markup) {
        out.append(markup);
        return this;
    }

    private Svg element(String name, String... attributes) {
        out.append('<').append(name);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ')
                    .append(attributes[i])
                    .append("=\"")
                    .append(escape(attributes[i + 1]))
                    .append('"');
        }
        out.append("/>\n");
        return this;
    }

    /// Returns the finished element.
    @Override
    public String toString() {
        return out + "</svg>\n";
    }

    /// Escapes text for markup and for quoted attributes.
    public static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    static String number(double value) {
        return trimmed(String.format(Locale.ROOT, "%.2f", value));
    }

    private static String precise(double value) {
        return trimmed(String.format(Locale.ROOT, "%.6f", value));
    }

    private static String trimmed(String decimal) {
        String plain = decimal.replaceAll("0+$", "").replaceAll("\\.$", "");
        return plain.equals("-0") ? "0" : plain;
    }
}
