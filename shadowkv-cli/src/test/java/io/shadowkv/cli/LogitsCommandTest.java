package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static io.shadowkv.cli.Shell.tiny;
import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.checkpoint.Safetensors;
import io.shadowkv.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Compares `logits` with the golden models, which have no tokenizer.
class LogitsCommandTest {
    private static final int VOCABULARY = 192;
    private static final double TOLERANCE = 1e-3;

    @TempDir
    Path temporary;

    private Path ids;
    private Path out;

    @BeforeEach
    void writeIds() throws IOException {
        ids = Files.writeString(temporary.resolve("ids.json"), Arrays.toString(expectedInts("n17.ids")));
        out = temporary.resolve("out.safetensors");
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "shadowkv"})
    void writesTheLastLogitsAndAContinuation(String method) {
        Shell.Result result = shadowkv(
                        "logits",
                        tiny("tiny-llama3-f32"),
                        "--ids",
                        ids,
                        "--method",
                        method,
                        "--generate",
                        "8",
                        "--out",
                        out)
                .succeeded();
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("logits [1, 192] and 8 generated ids, " + method);
        assertClose(floats("logits", 1, VOCABULARY), expectedFloats("n17.logits_last"));
        assertThat(ints("generated")).isEqualTo(Arrays.copyOf(expectedInts("n17.greedy32"), 8));
        assertThat(Shell.names(temporary)).containsExactly("ids.json", "out.safetensors");
    }

    /// Reading a part of a prompt and decoding the rest one by one gives the same logits as reading
    /// all of it.
    @Test
    void feedsIdsOneByOneAfterThePrefill() {
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--positions", "all", "--prefill", "5", "--out", out)
                .succeeded();
        float[] rows = floats("logits", 17, VOCABULARY);
        assertClose(Arrays.copyOfRange(rows, 16 * VOCABULARY, 17 * VOCABULARY), expectedFloats("n17.logits_last"));
        Path whole = temporary.resolve("whole.safetensors");
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--positions", "all", "--out", whole)
                .succeeded();
        out = whole;
        assertClose(rows, floats("logits", 17, VOCABULARY));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[1, 2 | not valid JSON: ",
                "hello | not valid JSON: ",
                "[1] [2] | not valid JSON: ",
                "{\"ids\": [1]} | holds {\"ids\":[1]}; expected an array of token ids",
                "[] | the array of token ids is empty; give at least one id",
                "[1, \"2\"] | element 1 is \"2\"; expected a token id, a whole number",
                "[1.5] | element 0 is 1.5; expected a token id",
                "[99999999999] | element 0 is 99999999999; expected a token id",
                "[3, -1] | id -1 at position 1 is not in the vocabulary; expected 0 to 191",
                "[3, 192] | id 192 at position 1 is not in the vocabulary; expected 0 to 191"
            })
    void refusesBadIds(String content, String reason) throws IOException {
        Files.writeString(ids, content);
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", out).refused(1, "ids.json: ", reason);
        assertThat(Shell.names(temporary)).containsExactly("ids.json");
    }

    @Test
    void refusesAMissingIdsFile() {
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", temporary.resolve("none.json"), "--out", out)
                .refused(1, "none.json: no such file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "18", "-1"})
    void refusesAPrefillThatIsNoPartOfTheIds(String count) {
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", out, "--prefill", count)
                .refused(2, "--prefill is " + count + "; expected 1 to the number of ids, 17");
        assertThat(out).doesNotExist();
    }

    @Test
    void refusesAPlaceThatCannotBeWritten() throws IOException {
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", temporary.resolve("no/such/out"))
                .refused(1, "the folder ", " does not exist; create it first");
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", temporary)
                .refused(1, "is a folder; --out names the file to write");
        shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", "/dev/null")
                .refused(1, "/dev/null: is not a regular file");
        Shell.Result unwritable =
                shadowkv("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", "/proc/out.safetensors");
        assertThat(unwritable.err()).contains("shadowkv: cannot write /proc/out.safetensors (768 bytes of tensors)");
        assertThat(unwritable.code()).isEqualTo(1);
        assertThat(Shell.names(temporary)).containsExactly("ids.json");
    }

    @Test
    void keepsTheOldFileWhenInterrupted() throws IOException {
        Files.writeString(out, "what was there");
        new Shell()
                .cancelled()
                .run("logits", tiny("tiny-llama3-f32"), "--ids", ids, "--out", out)
                .refused(1, "interrupted; ", " was not written");
        assertThat(out).hasContent("what was there");
        assertThat(Shell.names(temporary)).containsExactly("ids.json", "out.safetensors");
    }

    private float[] floats(String name, int... extents) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Safetensors.open(out, arena).tensor(name);
            assertThat(tensor.shape().toArray()).isEqualTo(extents);
            return copyFloats(tensor);
        }
    }

    private int[] ints(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return copyInts(Safetensors.open(out, arena).tensor(name));
        }
    }

    private static float[] expectedFloats(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return copyFloats(Safetensors.open(expected(), arena).tensor(name));
        }
    }

    private static int[] expectedInts(String name) {
        try (Arena arena = Arena.ofConfined()) {
            return copyInts(Safetensors.open(expected(), arena).tensor(name));
        }
    }

    private static Path expected() {
        return tiny("tiny-llama3-f32").resolve("golden/expected.safetensors");
    }

    private static float[] copyFloats(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    private static int[] copyInts(Tensor tensor) {
        return tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
    }

    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            double error = Math.abs(actual[i] - expected[i]);
            assertThat(error <= TOLERANCE)
                    .as("logit %d is %s, expected %s", i, actual[i], expected[i])
                    .isTrue();
        }
    }
}
