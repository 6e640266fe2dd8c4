package io.shadowkv.eval.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Json;
import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.Records;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/// Writes a report and reads its files.
final class ReportTest {
    @TempDir
    static Path whole;

    private static Report.Written written;
    private static Document page;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeOne() throws Exception {
        SyntheticRun.whole(12).write(whole);
        written = Report.write(whole);
        page = parse(Files.readString(whole.resolve("report.html")));
    }

    private static Document parse(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }

    private static List<Element> elements(Document document, String tag) {
        NodeList nodes = document.getElementsByTagName(tag);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> (Element) nodes.item(i))
                .toList();
    }

    @Test
    void thePageHasNoExternalResources() throws IOException {
        String html = Files.readString(whole.resolve("report.html"));
        assertThat(html).doesNotContain("<script", "<img", "<link", "@import", "url(", "src=");
        assertThat(elements(page, "a").stream().map(a -> a.getAttribute("href")))
                .isNotEmpty()
                .allSatisfy(href -> assertThat(href).doesNotContain(":", "//"));
    }

    @Test
    void everyLinkHasATarget() {
        List<String> ids = Stream.of("section", "svg", "title", "desc")
                .flatMap(tag -> elements(page, tag).stream())
                .map(e -> e.getAttribute("id"))
                .filter(id -> !id.isEmpty())
                .toList();
        assertThat(ids).doesNotHaveDuplicates();
        for (Element link : elements(page, "a")) {
            String href = link.getAttribute("href");
            if (href.startsWith("#")) {
                assertThat(ids).contains(href.substring(1));
            } else {
                assertThat(whole.resolve(href)).isRegularFile();
            }
        }
    }

    @Test
    void tablesAndFiguresAreAccessible() {
        assertThat(elements(page, "table")).hasSizeGreaterThan(8).allSatisfy(table -> {
            assertThat(table.getElementsByTagName("caption").item(0).getTextContent())
                    .isNotBlank();
            NodeList headers = table.getElementsByTagName("th");
            for (int i = 0; i < headers.getLength(); i++) {
                assertThat(((Element) headers.item(i)).getAttribute("scope")).isNotEmpty();
            }
        });
        assertThat(elements(page, "svg")).isNotEmpty().allSatisfy(svg -> {
            assertThat(svg.getAttribute("role")).isEqualTo("img");
            assertThat(svg.getElementsByTagName("title").item(0).getTextContent())
                    .isNotBlank();
            assertThat(svg.getElementsByTagName("desc").item(0).getTextContent())
                    .isNotBlank();
        });
    }

    @Test
    void markdownHasTheNumbersOfThePage() throws IOException {
        List<String> ofPage = new ArrayList<>();
        for (Element row : elements(page, "tr")) {
            ofPage.add(bare(row.getTextContent()));
        }
        List<String> ofMarkdown = Files.readAllLines(whole.resolve("report.md")).stream()
                .filter(line -> line.startsWith("|") && !line.startsWith("|---") && !line.startsWith("| | |"))
                .map(ReportTest::bare)
                .toList();
        long facts = elements(page, "dl").stream()
                .filter(list -> list.getAttribute("class").equals("facts"))
                .mapToLong(list -> list.getElementsByTagName("dt").getLength())
                .sum();
        assertThat(ofMarkdown).containsAll(ofPage).hasSize((int) (ofPage.size() + facts));
        assertThat(ofPage).hasSizeGreaterThan(80);
    }

    /// A row without its markup.
    private static String bare(String row) {
        return row.replaceAll("[\\s()|*\\\\]", "");
    }

    @Test
    void everyFigureHasTwoFiles() throws Exception {
        List<Path> drawings = written.files().stream()
                .filter(file -> file.toString().endsWith(".svg"))
                .toList();
        assertThat(drawings.stream().map(file -> file.getFileName().toString()))
                .contains(
                        "ruler-32k-differences.svg",
                        "ruler-8k-budget.svg",
                        "ruler-8k-rank.svg",
                        "ruler-length.svg",
                        "niah-map-pressure-full.svg",
                        "ruler-niah-single-1-depth.svg",
                        "ruler-niah-multikey-2-depth.svg");
        for (Path drawing : drawings) {
            Element svg = parse(Files.readString(drawing)).getDocumentElement();
            assertThat(svg.getElementsByTagName("text").getLength()).isGreaterThan(5);
            var image = ImageIO.read(
                    Path.of(drawing.toString().replace(".svg", ".png")).toFile());
            assertThat(image.getWidth()).isEqualTo(2 * Integer.parseInt(svg.getAttribute("width")));
            long colours = IntStream.iterate(0, i -> i < image.getWidth() * image.getHeight(), i -> i + 7)
                    .map(i -> image.getRGB(i % image.getWidth(), i / image.getWidth()))
                    .distinct()
                    .count();
            assertThat(colours).as(drawing.toString()).isGreaterThan(20);
        }
    }

    @Test
    void hasTheRequiredStatements() throws IOException {
        String markdown = Files.readString(whole.resolve("report.md"));
        assertThat(markdown)
                .contains(
                        "86.68",
                        "its own metrics over 10 or 11 tasks",
                        "paper's own metrics",
                        "shadowkv eval --data ruler",
                        "2f9b46e",
                        "NVIDIA H200",
                        "ruler version",
                        "hit rate",
                        "full attention wrote");
        assertThat(markdown.lines().filter(line -> line.startsWith("## ")))
                .containsExactly(
                        "## Summary",
                        "## ruler, 8K tokens",
                        "## ruler, 32K tokens",
                        "## ruler, 128K tokens",
                        "## longbench, lengths of the files",
                        "## Score against budget and rank",
                        "## Needle by length and depth",
                        "## Memory and speed",
                        "## Samples that full attention answered better",
                        "## Settings",
                        "## How to read this");
    }

    @Test
    void twoReportsOfTheSameAnswersAreTheSame() throws IOException {
        var run = new SyntheticRun();
        run.task("ruler/vt", 4096, 30, List.of(Method.FULL, SyntheticRun.shadow(64, 32)), Map.of());
        run.write(folder);
        Report.write(folder);
        String first = Files.readString(folder.resolve("report.html"));
        Report.write(folder);
        assertThat(Files.readString(folder.resolve("report.html"))).isEqualTo(first);
    }

    @Test
    void answersCannotBreakThePage() throws Exception {
        var run = new SyntheticRun();
        run.task("ruler/vt", 4096, 30, List.of(Method.FULL, SyntheticRun.shadow(64, 32)), Map.of());
        run.write(folder);
        Path log = folder.resolve("answers.jsonl");
        Files.writeString(
                log,
                Files.readString(log)
                        .replace(
                                "<unclear>",
                                "</td><script>| `x` \\u0000\\u001b[31m\\ud83d and \\ud83d\\ude00 \\uffff"));
        Report.write(folder);
        Document broken = parse(Files.readString(folder.resolve("report.html")));
        assertThat(elements(broken, "script")).isEmpty();
        assertThat(elements(broken, "td").stream().map(Element::getTextContent))
                .anyMatch(text -> text.contains("</td><script>| `x` ��[31m� and 😀 �"));
        assertThat(Files.readAllLines(folder.resolve("report.md")))
                .anyMatch(line -> line.contains("\\</td>\\<script>\\| \\`x\\`"));
    }

    @Test
    void readsWhileARunIsWriting() throws IOException {
        var run = new SyntheticRun();
        run.task("ruler/vt", 4096, 3, List.of(Method.FULL), Map.of());
        run.write(folder);
        Path log = folder.resolve("answers.jsonl");
        Files.writeString(log, "{\"key\":{\"mod", StandardOpenOption.APPEND);
        byte[] before = Files.readAllBytes(log);
        Report.Written report = Report.write(folder);
        assertThat(report.answers()).isEqualTo(3);
        assertThat(report.notes()).anyMatch(note -> note.contains("fewer than 30 samples (ruler, 4K tokens: 3)"));
        assertThat(Files.readAllBytes(log)).isEqualTo(before);
    }

    @Test
    void combinesSeveralRuns() throws IOException {
        var methods = List.of(Method.FULL, SyntheticRun.shadow(64, 160));
        var one = new SyntheticRun();
        one.task("ruler/vt", 4096, 30, methods, Map.of());
        one.write(folder.resolve("short"));
        var two = new SyntheticRun();
        two.task("ruler/vt", 8192, 30, methods, Map.of());
        two.write(folder.resolve("long"));
        Files.copy(folder.resolve("long/answers.jsonl"), folder.resolve("answers-copy.jsonl"));
        Report.Written report = Report.write(folder);
        assertThat(report.answers()).isEqualTo(120);
        assertThat(report.notes()).anyMatch(note -> note.startsWith("60 answers are in more than one log"));
        assertThat(Files.readString(folder.resolve("report.md")))
                .contains("## ruler, 4K tokens", "## ruler, 8K tokens", "## Settings of the 2 runs");
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        assertThatThrownBy(() -> Report.write(folder.resolve("nowhere")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("no such folder", "shadowkv eval");
        assertThatThrownBy(() -> Report.write(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("have an answers.jsonl");
        Path log = Files.createFile(folder.resolve("answers.jsonl"));
        assertThatThrownBy(() -> Report.write(folder)).hasMessageContaining("has no complete line yet");
        Files.writeString(log, "{\"text\":\"something else\"}\n");
        assertThatThrownBy(() -> Report.write(folder)).hasMessageContaining("line 1: is not an answer");
        assertThat(folder.resolve("report.html")).doesNotExist();
    }

    @Test
    void runsWithoutADescriptionAreNoted() throws IOException {
        var run = new SyntheticRun();
        run.task("ruler/vt", 4096, 30, List.of(Method.FULL), Map.of());
        run.write(folder);
        Files.writeString(folder.resolve("run.json"), "{\"title\":\"half\"}");
        assertThat(Report.write(folder).notes())
                .anyMatch(note -> note.startsWith("run.json lacks fields"))
                .anyMatch(note -> note.contains("machine and settings of these answers are unknown"));
    }

    private void write(List<AnswerRecord> answers, List<LeftOut> leftOut) throws IOException {
        String lines =
                answers.stream().map(Json.SNAKE_CASE::writeValueAsString).collect(Collectors.joining("\n", "", "\n"));
        Files.writeString(folder.resolve("answers.jsonl"), lines);
        RunInfo run = new RunInfo(
                "title",
                "shadowkv eval",
                "0",
                "m",
                Map.of(),
                "x",
                "cpu",
                "f32",
                List.of("a/b"),
                List.of(1000),
                5,
                42,
                List.of(Method.FULL),
                Map.of(),
                "now",
                leftOut);
        RunFile.write(folder, run, true);
    }

    /// Rows that could not be asked, with the reason; without those that were answered since.
    @Test
    void whatWasLeftOutIsCounted() throws Exception {
        write(
                List.of(
                        Records.of("ruler-file/vt", 0, 0, Map.of(), "own", 1.0),
                        Records.of("ruler-file/vt", 2, 0, Map.of(), "own", 0.0)),
                List.of(
                        new LeftOut("ruler-file/vt", 1000, 1, "line 2: has no field \"outputs\""),
                        new LeftOut("ruler-file/vt", 1000, 2, "line 3: was mended since"),
                        new LeftOut("ruler-file/vt", 1000, 3, "line 4: is cut")));
        Report.Written report = Report.write(folder);
        String said =
                "ruler-file/vt at 1,000 tokens: 2 samples are left out (sample 1: line 2: has no field \"outputs\";"
                        + " sample 3: line 4: is cut).";
        assertThat(report.notes()).contains(said);
        assertThat(parse(Files.readString(folder.resolve("report.html")))
                        .getDocumentElement()
                        .getTextContent())
                .contains(said);
        assertThat(Files.readString(folder.resolve("report.md")))
                .contains("2 samples are left out (sample 1: line 2")
                .contains("| left out | ruler-file/vt 1, ruler-file/vt 2, ruler-file/vt 3 |");
    }

    /// For LongBench v2: the mean over all questions below the average of the lengths. Reasoning
    /// has costs and no score.
    @Test
    void theScriptsNumbersAreInATable() throws IOException {
        List<AnswerRecord> answers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String length = i < 3 ? "short" : "long";
            Map<String, String> labels = Map.of("length", length, "difficulty", i == 0 ? "easy" : "hard");
            String task = "longbench-v2-cot/" + length;
            answers.add(Records.of(task, i, 0, labels));
            answers.add(Records.of(task, i, 1, labels, "accuracy", i < 3 ? 1.0 : 0.0));
        }
        write(answers, List.of());
        Report.Written report = Report.write(folder);
        assertThat(report.notes()).anyMatch(note -> note.startsWith("longbench-v2-cot: answers are greedy here"));
        String markdown = Files.readString(folder.resolve("report.md")).replaceAll(" \\([0-9.–]+\\)", "");
        assertThat(markdown)
                .contains("| average of 2 |  | 4 | 50.0 |")
                .contains("| longbench-v2-cot | Overall | accuracy | 4 | 75.0 |")
                .contains("| longbench-v2-cot | Easy | accuracy | 1 | 100.0 |")
                .contains("| longbench-v2-cot | Medium | accuracy | 0 | – |")
                .contains("Overall is the published number")
                .containsPattern("\\| full \\| 50.0 \\|.*2.00 s");
    }
}
