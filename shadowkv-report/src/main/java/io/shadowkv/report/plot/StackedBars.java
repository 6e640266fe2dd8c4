package io.shadowkv.report.plot;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleFunction;

/// Horizontal bars of named segments, with the total to the right of each bar and the names of the
/// segments below.
///
/// @param id unique in the page
/// @param title for screen readers
/// @param axisLabel what the length means
/// @param format formats a value with its unit
/// @param bars from the top down
public record StackedBars(String id, String title, String axisLabel, DoubleFunction<String> format, List<Bar> bars) {
    private static final int WIDTH = 760;
    private static final int LEFT = 150;
    private static final int RIGHT = 80;
    private static final int BAR = 26;
    private static final int PITCH = 40;

    /// One bar.
    public record Bar(String label, List<Part> parts) {
        double total() {
            return parts.stream().mapToDouble(Part::value).sum();
        }
    }

    /// A segment of a bar.
    ///
    /// @param name segments with the same name share a colour
    /// @param colour class of the colour, `p0` to `p7`
    /// @param isHatched whether the segment is hatched, to show that it is of another kind
    public record Part(String name, double value, String colour, boolean isHatched) {}

    /// Returns the picture as an `<svg>` element.
    public String render() {
        List<Part> entries = entries();
        int legendRows = (entries.size() + 2) / 3;
        int axisAt = 8 + bars.size() * PITCH;
        Axis axis = Axis.upTo(bars.stream().mapToDouble(Bar::total).max().orElse(1), 5);
        double scale = (WIDTH - LEFT - RIGHT) / axis.top();
        var svg = new Svg(id, WIDTH, axisAt + 48 + legendRows * 20, title, description());
        svg.raw(("<defs><pattern id=\"%s-hatch\" width=\"6\" height=\"6\" patternTransform=\"rotate(45)\""
                        + " patternUnits=\"userSpaceOnUse\"><rect class=\"hatch\" width=\"2.4\" height=\"6\"/></pattern></defs>\n")
                .formatted(id));
        for (double tick : axis.ticks()) {
            double x = LEFT + tick * scale;
            svg.line(x, 4, x, axisAt, "grid").text(x, axisAt + 16, "middle", "tick", format.apply(tick));
        }
        svg.text(LEFT + (WIDTH - LEFT - RIGHT) / 2.0, axisAt + 34, "middle", "axis", axisLabel);
        for (int i = 0; i < bars.size(); i++) {
            bar(svg, bars.get(i), 8 + i * PITCH, scale);
        }
        svg.line(LEFT, 4, LEFT, axisAt, "base");
        legend(svg, entries, axisAt + 52);
        return svg.toString();
    }

    private void bar(Svg svg, Bar bar, double y, double scale) {
        svg.text(LEFT - 10, y + BAR / 2.0 + 4, "end", "label", bar.label());
        double x = LEFT;
        for (Part part : bar.parts()) {
            double width = part.value() * scale;
            String hint = bar.label() + ", " + part.name() + ": " + format.apply(part.value());
            svg.hinted(x, y, width, BAR, "part " + part.colour(), hint);
            if (part.isHatched()) {
                hatch(svg, x, y, width, BAR);
            }
            x += width;
        }
        svg.text(x + 8, y + BAR / 2.0 + 4, "start", "value", format.apply(bar.total()));
    }

    private void legend(Svg svg, List<Part> entries, double top) {
        for (int i = 0; i < entries.size(); i++) {
            Part part = entries.get(i);
            double x = LEFT + i % 3 * 200;
            double y = top + i / 3 * 20;
            svg.rect(x, y, 12, 12, "part " + part.colour());
            if (part.isHatched()) {
                hatch(svg, x, y, 12, 12);
            }
            svg.text(x + 18, y + 10, "start", "tick", part.name());
        }
    }

    private void hatch(Svg svg, double x, double y, double width, double height) {
        svg.raw("<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"url(#%s-hatch)\" pointer-events=\"none\"/>\n"
                .formatted(Svg.number(x), Svg.number(y), Svg.number(width), Svg.number(height), id));
    }

    /// The first segment of each name.
    private List<Part> entries() {
        Map<String, Part> entries = new LinkedHashMap<>();
        bars.forEach(bar -> bar.parts().forEach(part -> entries.putIfAbsent(part.name(), part)));
        return List.copyOf(entries.values());
    }

    private String description() {
        return String.join(
                "; ",
                bars.stream()
                        .map(bar -> bar.label() + " " + format.apply(bar.total()))
                        .toList());
    }
}
