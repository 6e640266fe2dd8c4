package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `report` on folders with and without answers.
class ReportCommandTest {
    @TempDir
    Path folder;

    private static String line(int index, String method, double score) {
        return """
            {"key":{"model":"m","backend":"cpu","kv_type":"f32","task":"ruler/vt","context_tokens":4096,"seed":1,\
            "index":%d,"turn":0,"method":{"name":"%s","shadow":%s}},"answer":"x","answer_ids":[1],"references":["x"],\
            "scores":{"string_match_all":%s},"labels":{},"prompt_hash":"h%d","prompt_tokens":4000,\
            "prefill_seconds":1.0,"seal_seconds":0.0,"decode_seconds":1.0,"decode_steps":4,"batch":1,"hit_rate":null,\
            "resident_bytes":1000,"offloaded_bytes":0,"finish":"stop","divergence":null}
            """.formatted(
                        index,
                        method,
                        method.equals("full")
                                ? "null"
                                : "{\"rank\":160,\"chunk_size\":8,\"budget\":64,\"outliers\":48,\"local_tokens\":32,"
                                        + "\"generated_tokens\":128,\"values\":\"as_keys\",\"cached_tokens\":64}",
                        score,
                        index);
    }

    @Test
    void writesAPageAndSaysWhere() throws IOException {
        Files.writeString(
                folder.resolve("answers.jsonl"),
                line(0, "full", 1) + line(0, "shadowkv", 0) + line(1, "full", 1) + line(1, "shadowkv", 1));
        Shell.Result result = shadowkv("report", folder).succeeded();
        assertThat(result.out())
                .contains("note: There is no run.json", "4 answers, 2 files; open " + folder.resolve("report.html"));
        assertThat(Files.readString(folder.resolve("report.md"))).contains("−50.0", "shadowkv budget 64");
        JsonNode json = shadowkv("report", folder, "--json").json();
        assertThat(json.get("answers").asInt()).isEqualTo(4);
        assertThat(Path.of(json.get("files").get(0).asString())).isRegularFile();
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        shadowkv("report", folder.resolve("none")).refused(1, "none: no such folder; expected the folder into which");
        shadowkv("report", folder).refused(1, "have an answers.jsonl");
        Files.createFile(folder.resolve("answers.jsonl"));
        shadowkv("report", folder).refused(1, "has no complete line yet");
        Files.writeString(folder.resolve("answers.jsonl"), "{}\n");
        shadowkv("report", folder).refused(1, "line 1: is not an answer of this command");
        shadowkv("report").refused(2, "Missing required parameter: 'DIR'");
    }
}
