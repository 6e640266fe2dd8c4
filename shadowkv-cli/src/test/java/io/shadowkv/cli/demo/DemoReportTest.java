package io.shadowkv.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.MemoryPlan.Item;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.report.page.MarkdownPage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The outputs of the demo for artificial results.
final class DemoReportTest {
    private static final int QUESTIONS = 3;

    static DemoResult madeUp() {
        List<DemoResult.Question> questions = new ArrayList<>();
        List<DemoResult.Answer> right = new ArrayList<>();
        List<DemoResult.Answer> mixed = new ArrayList<>();
        for (int i = 0; i < QUESTIONS; i++) {
            String value = Integer.toString(1_234_567 + i);
            questions.add(new DemoResult.Question(
                    "What is the special magic number for word-" + i + " mentioned in the provided text?",
                    "word-" + i,
                    value,
                    4000 * i + 900));
            right.add(new DemoResult.Answer(value + ".", true));
            mixed.add(new DemoResult.Answer(i == 1 ? "7<8 & 9" : value + ".", i != 1));
        }
        var fullBytes = new SequenceBytes(83_886_080, 0, List.of(new Item("keys and values", 83_886_080, false)));
        var shadowBytes = new SequenceBytes(
                24_000_000,
                41_000_000,
                List.of(
                        new Item("resident keys and values", 8_700_000, false),
                        new Item("landmarks", 4_800_000, false),
                        new Item("key factors", 10_500_000, false),
                        new Item("offloaded values", 41_000_000, true)));
        return new DemoResult(
                new DemoResult.Setup(
                        "needle-32k",
                        19_276_032,
                        16_000,
                        16_384,
                        1,
                        "BF16",
                        "cpu",
                        "512-bit vectors, 2 threads",
                        new KvCacheSpec.Shadow(64, 8, 1024, 48, 32, 256),
                        "exact"),
                new Machine("A processor", 2, "Linux amd64", "25", "0123456789ab", false),
                questions,
                new DemoResult.Outcome(
                        right,
                        8.2,
                        0,
                        0.2,
                        212,
                        fullBytes,
                        new SequenceBytes(83_886_080, 0, List.of()),
                        Double.NaN,
                        false),
                new DemoResult.Outcome(
                        mixed,
                        8.6,
                        0.4,
                        0.1,
                        480,
                        shadowBytes,
                        new SequenceBytes(23_900_000, 40_900_000, List.of()),
                        0.614,
                        false),
                List.of(
                        new DemoResult.Speed(2048, 700, 640),
                        new DemoResult.Speed(4096, 560, 610),
                        new DemoResult.Speed(8192, 380, 560),
                        new DemoResult.Speed(16_000, 212, 480)),
                fetches(),
                41);
    }

    private static FetchMap fetches() {
        var random = new SplittableRandom(4);
        byte[][][] levels = new byte[5][33][128];
        for (byte[][] layer : levels) {
            for (byte[] column : layer) {
                for (int row = 0; row < column.length; row++) {
                    int draw = random.nextInt(20);
                    column[row] = (byte) (draw < 9 ? 1 : draw < 12 ? 2 : draw < 14 ? 3 : draw == 14 ? 4 : 0);
                }
            }
        }
        return new FetchMap(
                levels, List.of(new FetchMap.Turn(0, 10), new FetchMap.Turn(10, 22), new FetchMap.Turn(22, 33)), 16);
    }

    @Test
    void pageStandsAlone() throws IOException {
        String page = DemoReport.html(madeUp());
        Files.writeString(Path.of("target", "made-up-report.html"), page);
        assertThat(page).doesNotContain("<script", "<link", "<img", "url(http", "src=");
        // The only address is SVG's namespace, which browsers do not fetch.
        assertThat(page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "")).doesNotContain("http");
    }

    @Test
    void pageShowsAnswersFiguresAndPlots() {
        String page = DemoReport.html(madeUp());
        assertThat(page)
                .contains("2 of 3", "full attention: 3 of 3", "2.26×", "212 → 480 tokens/s", "61.4 %")
                .contains("80.0 MiB → 22.8 MiB", "3.51×", "0123456789ab", "rank 64")
                .contains("class=\"bad\">7&lt;8 &amp; 9<small>✗ wrong</small>");
        assertThat(page.split("<svg ", -1)).hasSize(1 + 2 + 5);
        assertThat(page.split("class=\"mark\"", -1)).hasSize(1 + 5 * QUESTIONS);
    }

    @Test
    void pageIsMarkdownToo() {
        assertThat(MarkdownPage.of(DemoReport.page(madeUp())))
                .contains("Bytes of keys and values by part: full, planned 80; full, measured 80; ShadowKV, planned ")
                .contains("- selected and already resident\n- fetched: up to 5 % of the row's chunks and heads\n");
    }

    @Test
    void tableShowsBothMethods() {
        var text = new StringWriter();
        DemoTable.print(madeUp(), new PrintWriter(text, true));
        assertThat(text.toString())
                .contains(
                        "1234568",
                        "WRONG",
                        "correct answers",
                        "2 of 3",
                        "3 of 3",
                        "8.20 s",
                        "400 ms of it",
                        "2.26×",
                        "61.4 %");
    }

    @Test
    void jsonHoldsWhatTheTableShows() {
        var json = DemoJson.of(madeUp());
        assertThat(json.at("/shadowkv/right").asInt()).isEqualTo(2);
        assertThat(json.at("/full/hit_rate").isNull()).isTrue();
        assertThat(json.at("/shadowkv/planned/parts/landmarks").asLong()).isEqualTo(4_800_000);
        assertThat(json.at("/questions/1/shadowkv/right").asBoolean()).isFalse();
        assertThat(json.at("/decode_tokens_per_second/3/tokens").asInt()).isEqualTo(16_000);
    }
}
