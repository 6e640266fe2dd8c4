package io.shadowkv.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.shadowkv.report.plot.Axis;
import io.shadowkv.report.plot.HeatStrip;
import io.shadowkv.report.plot.LinePlot;
import io.shadowkv.report.plot.Quantity;
import io.shadowkv.report.plot.StackedBars;
import java.io.StringReader;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/// Every plot must be well-formed XML; the tests read the drawing.
final class PlotsTest {
    private static Element parse(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(svg)))
                .getDocumentElement();
    }

    private static List<Element> withClass(Element root, String tag, String cssClass) {
        NodeList nodes = root.getElementsByTagName(tag);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .filter(e -> List.of(e.getAttribute("class").split(" ")).contains(cssClass))
                .toList();
    }

    @Test
    void barsAreAsLongAsTheirValues() throws Exception {
        var bars = new StackedBars(
                "m",
                "Memory <by> part",
                "bytes",
                Quantity::bytes,
                List.of(
                        new StackedBars.Bar("full", List.of(new StackedBars.Part("keys & values", 4e6, "p0", false))),
                        new StackedBars.Bar(
                                "shadow",
                                List.of(
                                        new StackedBars.Part("keys & values", 1e6, "p0", false),
                                        new StackedBars.Part("values", 2e6, "p1", true)))));
        Element root = parse(bars.render());
        List<Double> widths = withClass(root, "rect", "part").stream()
                .limit(3)
                .map(e -> Double.parseDouble(e.getAttribute("width")))
                .toList();
        assertThat(widths.get(1) * 4).isCloseTo(widths.get(0), offset(0.1));
        assertThat(widths.get(1) * 2).isCloseTo(widths.get(2), offset(0.1));
        assertThat(withClass(root, "text", "value").stream().map(Element::getTextContent))
                .containsExactly("3.81 MiB", "2.86 MiB");
        assertThat(root.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("Memory <by> part");
    }

    @Test
    void linesRiseWithTheirValues() throws Exception {
        var plot = new LinePlot(
                "s",
                "Speed",
                "context, tokens",
                "tokens/s",
                x -> Quantity.tokens((int) x),
                List.of(
                        new LinePlot.Series(
                                "full", "full", List.of(new LinePlot.Point(2048, 400), new LinePlot.Point(4096, 200))),
                        new LinePlot.Series(
                                "shadow",
                                "shadow",
                                List.of(new LinePlot.Point(2048, 399), new LinePlot.Point(8192, 199)))));
        Element root = parse(plot.render());
        List<Element> dots = withClass(root, "circle", "full");
        assertThat(Double.parseDouble(dots.get(0).getAttribute("cy")))
                .isLessThan(Double.parseDouble(dots.get(1).getAttribute("cy")));
        assertThat(withClass(root, "text", "tick").stream().map(Element::getTextContent))
                .contains("2K", "4K", "8K", "400");
        List<Double> labels = withClass(root, "text", "label").stream()
                .map(e -> Double.parseDouble(e.getAttribute("y")))
                .toList();
        assertThat(Math.abs(labels.get(0) - labels.get(1)))
                .as("names do not overlap")
                .isGreaterThanOrEqualTo(18);
    }

    @Test
    void aPlotOfOnePointIsDrawn() throws Exception {
        var plot = new LinePlot(
                "s",
                "Speed",
                "x",
                "y",
                Quantity::whole,
                List.of(new LinePlot.Series("full", "full", List.of(new LinePlot.Point(10, 0)))));
        assertThat(withClass(parse(plot.render()), "circle", "full")).hasSize(1);
        assertThatThrownBy(() -> new LinePlot.Series("full", "full", List.of())).hasMessageContaining("no points");
    }

    @Test
    void stripsDrawEachCellOnce() throws Exception {
        byte[][] levels = {{0, 1, 1, 2}, {2, 2, 0, 1}};
        var strip = new HeatStrip(
                "h", "layer 0", "d", levels, List.of(new HeatStrip.Span("Q1", 0, 2, 0.5)), "step", "0", "8");
        Element root = parse(strip.render());
        assertThat(withClass(root, "path", "level1").getFirst().getAttribute("d"))
                .isEqualTo("M0.5 1v2M1.5 3v1");
        assertThat(withClass(root, "path", "level2").getFirst().getAttribute("d"))
                .isEqualTo("M0.5 3v1M1.5 0v2");
        assertThat(withClass(root, "path", "mark")).hasSize(1);
    }

    @Test
    void axesEndAtRoundNumbers() {
        assertThat(Axis.upTo(437, 5)).isEqualTo(new Axis(500, List.of(0.0, 100.0, 200.0, 300.0, 400.0, 500.0)));
        assertThat(Axis.upTo(0.3, 3).top()).isCloseTo(0.3, offset(1e-12));
        assertThat(Axis.upTo(0, 5).top()).isEqualTo(1);
        assertThat(Axis.upTo(83_886_080, 5).top()).isEqualTo(1e8);
    }

    @Test
    void quantitiesHaveThreeDigitsAndAUnit() {
        assertThat(Quantity.bytes(83_886_080)).isEqualTo("80.0 MiB");
        assertThat(Quantity.bytes(1_047_000)).isEqualTo("1.00 MiB");
        assertThat(Quantity.bytes(12)).isEqualTo("12 B");
        assertThat(Quantity.bytes(0)).isEqualTo("0 B");
        assertThat(Quantity.seconds(0.34)).isEqualTo("340 ms");
        assertThat(Quantity.seconds(8.214)).isEqualTo("8.21 s");
        assertThat(Quantity.seconds(125)).isEqualTo("2 min 05 s");
        assertThat(Quantity.seconds(7320)).isEqualTo("2 h 02 min");
        assertThat(Quantity.share(0.614)).isEqualTo("61.4 %");
        assertThat(Quantity.share(0.15)).isEqualTo("15 %");
        assertThat(Quantity.share(Double.NaN)).isEqualTo("–");
        assertThat(Quantity.tokens(16384)).isEqualTo("16K");
        assertThat(Quantity.tokens(16000)).isEqualTo("16,000");
        assertThat(Quantity.times(2)).isEqualTo("2.00×");
    }
}
