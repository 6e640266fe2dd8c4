package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LeftOutTest {
    @TempDir
    Path folder;

    @Test
    void aSentenceCountsAndGivesReasons() {
        assertThat(LeftOut.sentences(List.of())).isEmpty();
        assertThat(LeftOut.sentences(List.of(
                        new LeftOut("a/b", 2048, 3, "line 4 is cut"),
                        new LeftOut("a/c", 0, 0, "1"),
                        new LeftOut("a/c", 0, 1, "2"),
                        new LeftOut("a/c", 0, 2, "3"),
                        new LeftOut("a/c", 0, 3, "4"),
                        new LeftOut("a/c", 0, 4, "5"))))
                .containsExactly(
                        "a/b at 2,048 tokens: 1 sample is left out (sample 3: line 4 is cut).",
                        "a/c: 5 samples are left out (sample 0: 1; sample 1: 2; sample 2: 3; and 2 more).");
    }

    /// The file lists the samples left out; files of earlier versions do not have this list.
    @Test
    void theRunFileHoldsThem() throws Exception {
        RunInfo run = new RunInfo(
                "t",
                "c",
                "0",
                "m",
                Map.of(),
                "x",
                "cpu",
                "f32",
                List.of("a/b"),
                List.of(1),
                1,
                1,
                List.of(Method.FULL),
                Map.of("weights", "1"),
                "now",
                List.of());
        var leftOut = List.of(new LeftOut("a/b", 1, 3, "line 4 is cut"));
        RunFile.write(folder, run.withLeftOut(leftOut), true);
        Path file = folder.resolve("run.json");
        assertThat(RunFile.read(file).leftOut()).isEqualTo(leftOut);
        String old = Files.readString(file).replaceFirst("(?s),\\s*\"left_out\".*]", "");
        assertThat(old).doesNotContain("left_out");
        Files.writeString(file, old);
        assertThat(RunFile.read(file).leftOut()).isEmpty();
    }
}
