package io.shadowkv.eval.ruler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Sample;
import io.shadowkv.eval.ruler.text.RulerKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class RulerFileTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"rows_nvidia.jsonl", "rows_shadowkv.jsonl"})
    void readsEveryRowOfTheOriginals(String name) {
        int row = 0;
        for (JsonNode golden : Goldens.lines(name)) {
            String task = golden.get("task").stringValue();
            RulerFile file = RulerFile.open(Goldens.FOLDER.resolve(name), task);
            Sample sample = file.sample(row++);
            Sample.Turn turn = sample.turns().getFirst();
            assertThat(sample.wrapping()).isEqualTo(Sample.Wrapping.NONE);
            assertThat(turn.user()).isEqualTo(golden.get("input").stringValue());
            assertThat(turn.answerPrefix())
                    .isEqualTo(golden.path("answer_prefix").asString(""));
            assertThat(turn.references()).isEqualTo(Goldens.texts(golden.get("outputs")));
            assertThat(turn.maxNewTokens()).isEqualTo(RulerKind.named(task).newTokens());
            assertThat(turn.metrics().getFirst().name())
                    .isEqualTo(task.startsWith("qa") ? "string_match_part" : "string_match_all");
            assertThat(sample.labels())
                    .containsEntry("length", golden.get("length").asString());
        }
        assertThat(row)
                .isEqualTo(RulerFile.open(Goldens.FOLDER.resolve(name), "vt").size());
    }

    @Test
    void readsWhatWasWritten() throws IOException {
        Path data = Goldens.dataFolder(folder);
        for (String version : List.of("nvidia", "shadowkv")) {
            for (String name : new RulerSuite().tasks()) {
                RulerTask task = Goldens.task(data, name, version, "qwen", 2000);
                List<String> lines = new ArrayList<>();
                for (int index = 0; index < 3; index++) {
                    lines.add(task.row(index).json());
                }
                Path file = folder.resolve(version).resolve(name).resolve("validation.jsonl");
                Files.createDirectories(file.getParent());
                Files.write(file, lines);
                RulerFile read = RulerFile.open(file);
                assertThat(read.size()).isEqualTo(3);
                assertThat(read.name()).isEqualTo("ruler-file/" + name);
                for (int index = 0; index < 3; index++) {
                    RulerRow row = task.row(index);
                    Sample.Turn turn = read.sample(index).turns().getFirst();
                    assertThat(turn.user() + turn.answerPrefix()).isEqualTo(row.input() + row.answerPrefix());
                    assertThat(turn.references()).isEqualTo(row.outputs());
                    assertThat(turn.metrics())
                            .isEqualTo(row.sample().turns().getFirst().metrics());
                }
            }
        }
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> RulerFile.open(folder.resolve("none.jsonl"), "vt"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("none.jsonl, which does not exist");
        Path file = Files.writeString(
                folder.resolve("rows.jsonl"),
                "{\"input\": \"é\", \"outputs\": \"one\"}\r\n\n{\"input\": \"x\"}\n{\"in\n{\"input\": \"y\", \"outputs\": [1]}");
        assertThatThrownBy(() -> RulerFile.open(file)).hasMessageContaining("Pass the task, or rename the folder");
        assertThatThrownBy(() -> RulerFile.open(file, "niah")).hasMessageContaining("niah_single_1, ");
        RulerFile rows = RulerFile.open(file, "vt");
        assertThat(rows.size()).isEqualTo(4);
        assertThat(rows.sample(0).turns().getFirst().user()).isEqualTo("é");
        assertThat(rows.sample(0).turns().getFirst().references()).containsExactly("one");
        assertThat(rows.sample(3).turns().getFirst().references()).containsExactly("1");
        assertThatThrownBy(() -> rows.sample(1)).hasMessageContaining("line 3: has no field \"outputs\"; found input");
        assertThatThrownBy(() -> rows.sample(2)).hasMessageContaining("line 4: expected a JSON object");
        assertThatThrownBy(() -> rows.sample(4)).hasMessageContaining("has 4 rows; there is no row 4");
        assertThatThrownBy(() -> RulerFile.open(Files.createFile(folder.resolve("empty")), "vt"))
                .hasMessageContaining("is empty");
    }
}
