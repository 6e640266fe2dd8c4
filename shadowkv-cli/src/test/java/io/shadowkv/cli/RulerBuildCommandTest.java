package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RulerBuildCommandTest {
    @TempDir
    Path folder;

    private Shell.Result build(Object... more) {
        Object[] arguments = new Object[6 + more.length];
        Object[] first = {"ruler", "build", "--length", "2k", "--out", folder.resolve("out")};
        System.arraycopy(first, 0, arguments, 0, first.length);
        System.arraycopy(more, 0, arguments, first.length, more.length);
        return shadowkv(arguments);
    }

    private Path file(String task) {
        return folder.resolve("out").resolve(task).resolve("validation.jsonl");
    }

    @Test
    void goesOnWhereItStopped() throws IOException {
        Shell.Result first = build("--tasks", "niah_single_1,vt", "--samples", 3, "--progress")
                .succeeded();
        assertThat(first.out()).contains("niah_single_1", "3 rows", file("vt").toString());
        assertThat(first.err()).contains("vt: 100 %", "3 of 3");
        List<String> rows = Files.readAllLines(file("niah_single_1"));
        assertThat(rows).hasSize(3);
        JsonNode row = JsonMapper.shared().readTree(rows.getFirst());
        assertThat(row.get("length").intValue()).isBetween(1800, 2048);
        assertThat(row.get("input").stringValue())
                .startsWith("<|begin_of_text|>")
                .contains("You are a helpful assistant", "A special magic number is hidden within")
                .endsWith("<|start_header_id|>assistant<|end_header_id|>");
        assertThat(row.get("answer_prefix").stringValue()).startsWith(" The special magic number for ");

        // A row that was truncated by an interruption is written again.
        String whole = Files.readString(file("niah_single_1"));
        Files.writeString(file("niah_single_1"), whole.substring(0, whole.length() - 100));
        build("--tasks", "niah_single_1", "--samples", 2).succeeded();
        assertThat(Files.readAllLines(file("niah_single_1"))).isEqualTo(rows.subList(0, 2));
        build("--tasks", "niah_single_1", "--samples", 4).succeeded();
        assertThat(Files.readAllLines(file("niah_single_1"))).hasSize(4).startsWith(rows.toArray(String[]::new));
    }

    @Test
    void mixesNoSettings() throws IOException {
        build("--tasks", "fwe", "--samples", 1).succeeded();
        build("--tasks", "fwe", "--samples", 1, "--seed", 7)
                .refused(1, "holds rows made with {", "\"seed\":42", "\"seed\":7", "Give another --out");
        Files.delete(folder.resolve("out").resolve("ruler-build.json"));
        build("--tasks", "fwe").refused(1, "has no ruler-build.json with its settings");
    }

    @Test
    void writesWhatItCanAndSaysWhatIsMissing() {
        Shell.Result result = build("--tasks", "qa_*,vt", "--samples", 1, "--data-dir", folder, "--template", "qwen");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .contains("qa_1 cannot be made: " + folder.resolve("ruler").resolve("squad.json") + ": no such file")
                .contains("qa_2 cannot be made: ", "hotpotqa.json", "HotpotQA")
                .doesNotContain("\tat ");
        assertThat(file("vt")).content().contains("<|im_start|>user\\nMemorize");
        assertThat(file("qa_1")).doesNotExist();
    }

    @Test
    void readsTheUsersQuestions() throws IOException {
        Path ruler = Files.createDirectories(folder.resolve("ruler"));
        Path golden = Fixtures.golden("text").resolve("ruler");
        Files.copy(golden.resolve("source_squad.json"), ruler.resolve("squad.json"));
        String options = "ruler build --length 8k --tasks qa_1 --samples 400 --ruler-version shadowkv --data-dir";
        Shell.Result result = shadowkv(
                        (Object[]) (options + " " + folder + " --out " + folder.resolve("out")).split(" "))
                .succeeded();
        assertThat(result.out()).contains("288 rows", "its file has no more questions");
        JsonNode row =
                JsonMapper.shared().readTree(Files.readAllLines(file("qa_1")).getFirst());
        assertThat(row.propertyNames()).containsExactly("index", "input", "outputs", "length");
        assertThat(row.get("input").stringValue()).endsWith(" Answer:");
    }

    @Test
    void anInterruptionLeavesWholeRows() {
        Shell.Result result = new Shell()
                .cancelled()
                .run("ruler", "build", "--length", "2k", "--tasks", "vt,fwe", "--out", folder.resolve("out"));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("interrupted; run the same command again to resume");
        assertThat(file("vt")).isEmptyFile();
        assertThat(file("fwe")).doesNotExist();
    }
}
