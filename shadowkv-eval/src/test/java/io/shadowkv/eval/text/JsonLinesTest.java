package io.shadowkv.eval.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JsonLinesTest {
    @TempDir
    Path folder;

    private JsonLines lines(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("rows.jsonl"), content);
        return JsonLines.open(file, "suite/rows", "a file of rows");
    }

    @Test
    void findsLinesInAnyOrderAndPassesOverEmptyOnes() throws IOException {
        String book = "é漢😀".repeat(500_000);
        JsonLines lines = lines("{\"a\": 1}\r\n\n  \t\n{\"a\": \"" + book + "\"}\n{\"a\": [[1, 2.5]], \"b\": null}");
        assertThat(lines.size()).isEqualTo(3);
        assertThat(lines.read(2).texts("a")).containsExactly("1", "2.5");
        assertThat(lines.read(1).text("a")).isEqualTo(book);
        assertThat(lines.read(0).text("a")).isEqualTo("1");
        assertThat(lines.read(2).has("b")).isFalse();
    }

    @Test
    void aLastLineBreakAddsNoLine() throws IOException {
        assertThat(lines("{}\n{}\n").size()).isEqualTo(2);
    }

    @Test
    void saysWhatIsMissingAndWhere() {
        Path file = folder.resolve("suite").resolve("rows.jsonl");
        assertThatThrownBy(() -> JsonLines.open(file, "suite/rows", "a file of rows"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("suite/rows reads " + file.toAbsolutePath() + ", which does not exist")
                .hasMessageContaining("a file of rows");
    }

    @Test
    void saysThatAFileIsEmpty() {
        assertThatThrownBy(() -> lines("\n\n")).hasMessageContaining("which is empty");
    }

    @Test
    void namesTheLineThatIsNoObject() throws IOException {
        JsonLines lines = lines("{}\n\n[1]\n{\"a\": \n");
        assertThatThrownBy(() -> lines.read(1)).hasMessageContaining("rows.jsonl, line 3: expected a JSON object");
        assertThatThrownBy(() -> lines.read(2)).hasMessageContaining("rows.jsonl, line 4: expected a JSON object");
    }

    @Test
    void namesTheFieldThatIsMissingOrOfAnotherKind() throws IOException {
        JsonRow row = lines("{\"a\": {\"b\": 1}, \"c\": [], \"d\": [1]}").read(0);
        assertThatThrownBy(() -> row.text("x")).hasMessageContaining("line 1: has no field \"x\"; found a, c, d");
        assertThatThrownBy(() -> row.text("a")).hasMessageContaining("\"a\" is a JSON OBJECT");
        assertThatThrownBy(() -> row.texts("c")).hasMessageContaining("\"c\" is empty");
        for (String field : List.of("c", "d", "a")) {
            assertThatThrownBy(() -> row.rows(field)).hasMessageContaining("is not a list of objects");
        }
    }
}
