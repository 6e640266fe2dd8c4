package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The demo with the bundled model and a short text.
final class DemoCommandTest {
    @TempDir
    private Path folder;

    private Path report;

    @BeforeEach
    void nameTheReport() {
        report = folder.resolve("reports").resolve("demo.html");
    }

    @Test
    void bothMethodsAnswerAndShadowKeepsLess() throws IOException {
        JsonNode result = shadowkv(
                        "demo",
                        "--tokens",
                        3072,
                        "--questions",
                        3,
                        "--budget",
                        512,
                        "--outliers",
                        8,
                        "--sweep",
                        1024,
                        "--json",
                        "--report",
                        report)
                .json();
        assertThat(result.at("/full/right").asInt()).isEqualTo(3);
        assertThat(result.at("/shadowkv/right").asInt()).isEqualTo(3);
        for (String method : new String[] {"full", "shadowkv"}) {
            for (String where : new String[] {"resident_bytes", "offloaded_bytes"}) {
                assertThat(result.at("/" + method + "/measured/" + where).asLong())
                        .as(method + " " + where)
                        .isEqualTo(result.at("/" + method + "/planned/" + where).asLong());
            }
        }
        assertThat(result.at("/shadowkv/measured/resident_bytes").asLong() * 2)
                .isLessThan(result.at("/full/measured/resident_bytes").asLong());
        assertThat(result.at("/shadowkv/hit_rate").asDouble()).isBetween(0.05, 0.999);
        assertThat(result.at("/decode_tokens_per_second")).hasSize(2);
        assertThat(result.at("/setup/text_tokens").asInt()).isBetween(2300, 3072);
        String page = Files.readString(report);
        assertThat(page)
                .contains(
                        result.at("/questions/2/expected").asString(),
                        "3 of 3",
                        "What each layer fetched",
                        "question 3")
                .contains("id=\"fetched-4-t\"");
        assertThat(Shell.names(report.getParent())).containsExactly("demo.html");
    }

    @Test
    void aTextThatFitsTheBudgetIsKeptWholeAndSaysSo() throws IOException {
        Shell.Result result = shadowkv(
                        "demo", "--tokens", 2048, "--questions", 1, "--budget", 2048, "--no-sweep", "--report", report)
                .succeeded();
        assertThat(result.out()).contains("1 of 1", "the text fits the resident set", "report: " + report);
        assertThat(Files.readString(report)).contains("None: the text fits the resident set");
    }

    @Test
    void refusesWhatMakesNoSense() {
        shadowkv("demo", "--tokens", 100, "--report", report).refused(2, "--tokens is 100", "at least 2,048");
        shadowkv("demo", "--questions", 0, "--report", report).refused(2, "--questions is 0", "1 to 16");
        shadowkv("demo", "--budget", 7, "--report", report).refused(2, "sparse budget is 7; expected at least 8");
        shadowkv("demo", "--sweep", "512,99", "--report", report).refused(2, "--sweep has 99");
        shadowkv("demo", "--tokens", 65_536, "--report", report)
                .refused(1, "65,536 tokens", "32,768", "Lower --tokens");
        shadowkv("demo", "nothing-there", "--report", report).refused(1, "nothing-there: no such folder");
        assertThat(report).doesNotExist();
    }

    @Test
    void interruptedItLeavesNothingBehind() {
        Shell.Result result = new Shell().cancelled().run("demo", "--tokens", 2048, "--no-sweep", "--report", report);
        result.refused(1, "interrupted; no report was written");
        assertThat(Shell.names(report.getParent())).isEmpty();
    }

    @Test
    void theReportGoesToTheUsersCacheUnlessToldOtherwise() throws IOException {
        Path cache = folder.resolve("cache");
        Shell shell = new Shell().with("XDG_CACHE_HOME", cache.toString());
        Path usual = cache.resolve("shadowkv").resolve("demo.html");
        assertThat(shell.run("demo", "--tokens", 2048, "--questions", 1, "--no-sweep")
                        .succeeded()
                        .out())
                .contains("report: " + usual);
        assertThat(usual).content().contains("1 of 1");
        assertThat(Path.of("shadowkv-report.html")).doesNotExist();
    }

    @Test
    void withoutACacheFolderThereIsNoReport() throws IOException {
        Path taken = Files.createFile(folder.resolve("taken"));
        Shell.Result result = new Shell()
                .with("XDG_CACHE_HOME", taken.toString())
                .run("demo", "--tokens", 2048, "--questions", 1, "--no-sweep")
                .succeeded();
        assertThat(result.out()).contains("1 of 1").doesNotContain("report: ");
        assertThat(result.err()).contains("the report cannot be written", taken.toString(), "--report FILE");
    }

    @Test
    void refusesAReportThatIsAFolder() {
        shadowkv("demo", "--report", folder).refused(2, "--report is " + folder, "is a folder, not a file");
    }

    @Test
    void refusesAFolderThatIsAFile() throws IOException {
        Path file = Files.createFile(folder.resolve("taken"));
        shadowkv("demo", "--report", file.resolve("r.html")).refused(2, "cannot be written to the folder", "taken");
    }
}
