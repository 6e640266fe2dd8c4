package io.shadowkv.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.report.plot.CurvePlot;
import io.shadowkv.report.plot.Figure;
import io.shadowkv.report.plot.HeatMap;
import io.shadowkv.report.plot.IntervalPlot;
import io.shadowkv.report.plot.PlotStyle;
import io.shadowkv.report.plot.Png;
import io.shadowkv.report.plot.Quantity;
import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/// Figures on both canvases; the tests read the drawings.
final class FiguresTest {
    private static final HeatMap MAP = new HeatMap(
            "map",
            "Needle <&>",
            "length",
            "depth",
            List.of("4K", "8K"),
            List.of("0 %", "50 %", "100 %"),
            List.of(new HeatMap.Panel("", new double[][] {{1, 0.999}, {0, 0.5}, {Double.NaN, 0.19}}, new int[][] {
                {1, 1}, {1, 1}, {0, 1}
            })));

    private static final CurvePlot CURVES = new CurvePlot(
            "curve",
            "Score",
            "budget",
            "score",
            x -> Quantity.whole(x),
            "full attention",
            0.9,
            List.of(new CurvePlot.Curve(
                    "shadowkv",
                    "p0",
                    List.of(
                            new CurvePlot.Point(64, 0.6, 0.5, 0.7),
                            new CurvePlot.Point(128, 0.8, 0.7, 0.88),
                            new CurvePlot.Point(256, 0.9, 0.82, 0.95)))));

    private static final IntervalPlot INTERVALS = new IntervalPlot(
            "intervals",
            "Differences",
            "points",
            List.of("one", "two"),
            List.of(
                    new IntervalPlot.Row(
                            "vt",
                            false,
                            List.of(
                                    new IntervalPlot.Mark(-4, -8, -1),
                                    new IntervalPlot.Mark(Double.NaN, Double.NaN, Double.NaN))),
                    new IntervalPlot.Row(
                            "average",
                            true,
                            List.of(new IntervalPlot.Mark(-2, -4, 0), new IntervalPlot.Mark(2, 1, 3)))));

    private static List<Element> elements(Figure figure, String tag) throws Exception {
        Element root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(figure.inlineSvg())))
                .getDocumentElement();
        NodeList nodes = root.getElementsByTagName(tag);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .toList();
    }

    private static List<Double> numbers(List<Element> elements, String attribute) {
        return elements.stream()
                .map(e -> Double.parseDouble(e.getAttribute(attribute)))
                .toList();
    }

    @Test
    void cellsHaveTheColourOfTheirLevelAndOnlyFullOnesSay100() throws Exception {
        List<String> fills = elements(MAP, "rect").stream()
                .map(e -> e.getAttribute("style"))
                .filter(style -> !style.isEmpty())
                .limit(6)
                .toList();
        assertThat(fills)
                .containsExactly(
                        "fill:var(--h6)",
                        "fill:var(--h5)",
                        "fill:var(--h0)",
                        "fill:var(--h3)",
                        "fill:var(--card);stroke:var(--rule);stroke-width:1;stroke-dasharray:6 4",
                        "fill:var(--h1)");
        assertThat(elements(MAP, "text").stream().map(Element::getTextContent))
                .contains("100", "99", "0", "50", "19", "no sample")
                .doesNotContain("NaN", "1");
        assertThat(MAP.description()).isEqualTo("5 cells of 1 sample, mean 53.8 %, lowest 0 %, 1 of them full");
    }

    private static HeatMap panels(int count, int columns, String name) {
        var panel = new HeatMap.Panel(name, new double[1][columns], new int[][] {
            IntStream.range(0, columns).map(i -> 12 + i).toArray()
        });
        List<String> names = IntStream.range(0, columns).mapToObj(i -> i + "K").toList();
        return new HeatMap("m", "m", "x", "y", names, List.of("all"), Collections.nCopies(count, panel));
    }

    @Test
    void panelsAreNextToEachOtherIfCellsAndNamesFit() throws Exception {
        int one = panels(1, 3, "full").height();
        assertThat(panels(3, 3, "full").height()).isEqualTo(one);
        int two = panels(3, 6, "full").height();
        assertThat(two).isGreaterThan(one);
        assertThat(panels(4, 6, "full").height()).as("two and two").isEqualTo(two);
        assertThat(panels(3, 1, "shadowkv budget 1.56 % rank 96 outliers 24").height())
                .as("names too long for three")
                .isEqualTo(two);
        assertThat(elements(panels(2, 3, "full"), "text").stream().map(Element::getTextContent))
                .contains("12", "13", "14", "full")
                .doesNotContain("no sample");
        assertThat(elements(panels(1, 40, "full"), "text").stream().map(Element::getTextContent))
                .as("narrow cells")
                .doesNotContain("12", "0");
        assertThat(numbers(elements(panels(5, 6, "full"), "rect"), "x"))
                .allSatisfy(x -> assertThat(x).isLessThan(panels(5, 6, "full").width()));
    }

    @Test
    void curvesRiseWithTheirSharesAndTheBaselineIsDashed() throws Exception {
        List<Double> heights = numbers(elements(CURVES, "circle"), "cy");
        assertThat(heights).hasSize(3);
        // The distance from 0.6 to 0.8 is twice that from 0.8 to 0.9.
        assertThat(heights.get(0) - heights.get(1)).isCloseTo(2 * (heights.get(1) - heights.get(2)), within(0.1));
        List<Double> places = numbers(elements(CURVES, "circle"), "cx");
        assertThat(places.get(1) - places.get(0)).isCloseTo(places.get(2) - places.get(1), within(0.1));
        Element dashed = elements(CURVES, "line").stream()
                .filter(e -> e.getAttribute("style").contains("dasharray"))
                .findFirst()
                .orElseThrow();
        assertThat(Double.parseDouble(dashed.getAttribute("y1"))).isCloseTo(heights.get(2), within(0.1));
    }

    @Test
    void differencesLieAboutTheLineAtZero() throws Exception {
        List<Double> marks = numbers(elements(INTERVALS, "circle"), "cx");
        // The first circle belongs to the legend.
        double perPoint = (marks.get(2) - marks.get(1)) / 2;
        double zero = marks.get(2) + 2 * perPoint;
        assertThat(elements(INTERVALS, "line").stream()
                        .filter(e -> e.getAttribute("x1").equals(e.getAttribute("x2")))
                        .map(e -> Double.parseDouble(e.getAttribute("x1"))))
                .anySatisfy(x -> assertThat(x).isCloseTo(zero, within(0.05)));
        assertThat(elements(INTERVALS, "title").getFirst().getTextContent()).isEqualTo("Differences");
    }

    @Test
    void bitmapsShowWhatTheDrawingShows() throws Exception {
        for (Figure figure : List.of(MAP, CURVES, INTERVALS)) {
            var image = ImageIO.read(new ByteArrayInputStream(Png.of(figure)));
            assertThat(image.getWidth()).isEqualTo(2 * figure.width());
            assertThat(image.getHeight()).isEqualTo(2 * figure.height());
        }
        var map = ImageIO.read(new ByteArrayInputStream(Png.of(MAP)));
        Element full = elements(MAP, "rect").getFirst();
        // Near the corner of the cell, where there are no digits.
        int x = (int) (2 * Double.parseDouble(full.getAttribute("x"))) + 4;
        int y = (int) (2 * Double.parseDouble(full.getAttribute("y"))) + 4;
        assertThat(map.getRGB(x, y) & 0xffffff)
                .isEqualTo(Integer.decode(PlotStyle.lightColours().get("h6")));
        assertThat(map.getRGB(0, 0) & 0xffffff).isEqualTo(0xffffff);
        assertThat(Png.obstacle()).isEmpty();
    }

    @Test
    void everyColourThatFiguresNameIsThere() {
        assertThat(PlotStyle.lightColours())
                .containsKeys("ink", "muted", "rule", "card", "field", "full", "onlight", "ondark")
                .containsKeys(IntStream.range(0, 8).mapToObj(i -> "p" + i).toArray(String[]::new))
                .containsKeys(IntStream.range(0, 7).mapToObj(i -> "h" + i).toArray(String[]::new))
                .allSatisfy((_, hex) -> assertThat(hex).matches("#[0-9a-f]{6}"));
    }

    @Test
    void filesStandAlone() {
        assertThat(Stream.of(MAP, CURVES, INTERVALS).map(Figure::svgFile))
                .allSatisfy(file -> assertThat(file)
                        .startsWith("<?xml")
                        .contains("width=\"760\"", "prefers-color-scheme:dark", "--h0:"));
        assertThatThrownBy(() -> Png.of(new CurvePlot(
                        "c",
                        "c",
                        "",
                        "",
                        x -> "",
                        "",
                        Double.NaN,
                        List.of(new CurvePlot.Curve("c", "mauve", List.of(new CurvePlot.Point(1, 1, 1, 1)))))))
                .hasMessageContaining("no colour is named mauve");
    }
}
