package io.shadowkv.eval.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HaystackFileTest {
    @TempDir
    Path folder;

    @Test
    void readsPlainTextAndJsonAndJsonLinesCompressedToo() throws IOException {
        assertThat(HaystackFile.read(file("a.txt", "Long\ntext."))).isEqualTo("Long\ntext.");
        assertThat(HaystackFile.read(file("a.json", " {\"text\": \"An essay.\"}")))
                .isEqualTo("An essay.");
        assertThat(HaystackFile.read(file("a.jsonl.gz", "{\"text\": \"One. \"}\n{\"text\": \"Two.\"}\n")))
                .isEqualTo("One. Two.");
    }

    @Test
    void withoutAFileItIsTheKingJames() {
        assertThat(HaystackFile.read(null)).contains("In the beginning God created the heaven and the earth.");
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> HaystackFile.read(folder.resolve("no.txt"))).hasMessageContaining("does not exist");
        Path blank = file("b.txt", " \n");
        assertThatThrownBy(() -> HaystackFile.read(blank)).hasMessageContaining("has no text");
        Path other = file("c.json", "{\"words\": \"x\"}");
        assertThatThrownBy(() -> HaystackFile.read(other)).hasMessageContaining("without a string \"text\"");
        Path broken = file("d.json", "{\"text\": ");
        assertThatThrownBy(() -> HaystackFile.read(broken))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("begins like JSON");
    }

    private Path file(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = name.endsWith(".gz")
                ? new GZIPOutputStream(Files.newOutputStream(file))
                : Files.newOutputStream(file)) {
            out.write(bytes);
        }
        return file;
    }
}
