package io.shadowkv.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AnswerLogTest {
    private static final EvalPlan PLAN = FakeExaminer.plan(2);

    @TempDir
    Path folder;

    private static List<AnswerRecord> answers(int index) {
        return new FakeExaminer(PLAN).examine(List.of(new Item("a/x", index)), _ -> true, _ -> {});
    }

    @Test
    void whatIsAppendedIsReadAgain() {
        Path file = folder.resolve("deep/log.jsonl");
        try (AnswerLog log = AnswerLog.open(file)) {
            log.append(answers(1));
            log.append(answers(0).getFirst());
            log.append(List.of());
        }
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(log.answers())
                    .hasSize(5)
                    .containsAll(answers(1))
                    .contains(answers(0).getFirst());
            assertThat(log.contains(answers(0).getFirst().key())).isTrue();
            assertThat(log.contains(answers(0).getLast().key())).isFalse();
        }
    }

    /// An interruption would close a file channel, and lose this answer and all that follow.
    @Test
    void anInterruptedThreadLosesNoAnswer() {
        Path file = folder.resolve("log.jsonl");
        Thread.currentThread().interrupt();
        try (AnswerLog log = AnswerLog.open(file)) {
            log.append(answers(0));
            assertThat(Thread.interrupted()).as("the thread stays interrupted").isTrue();
            log.append(answers(1));
        } finally {
            Thread.interrupted();
        }
        assertThat(AnswerLog.read(file)).containsAll(answers(0)).containsAll(answers(1));
    }

    @Test
    void aFileThatIsOpenIsRefusedToOthers() {
        Path file = folder.resolve("log.jsonl");
        try (AnswerLog log = AnswerLog.open(file)) {
            log.append(answers(0));
            assertThatThrownBy(() -> AnswerLog.open(file))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("log.jsonl is being written by another run");
            assertThat(AnswerLog.read(file)).hasSize(2);
        }
        AnswerLog.open(file).close();
    }

    @Test
    void saysWhyAFolderCannotHoldAnswers() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> AnswerLog.open(file.resolve("answers.jsonl")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be written", "file is a file, not a folder", "Give a folder");
    }

    @Test
    void answersOfAGroupAreKeptOrLostTogetherWhereverTheFileIsCut() throws IOException {
        Path file = folder.resolve("log.jsonl");
        long first;
        try (AnswerLog log = AnswerLog.open(file)) {
            log.append(answers(0));
            first = Files.size(file);
            log.append(answers(1));
        }
        byte[] bytes = Files.readAllBytes(file);
        Path cut = folder.resolve("cut.jsonl");
        for (int length = 0; length <= bytes.length; length++) {
            if (length % 97 != 0 && !isNearAnEnd(bytes, length)) {
                continue;
            }
            Files.write(cut, Arrays.copyOf(bytes, length));
            int whole = length < first ? 0 : length < bytes.length ? 2 : 6;
            try (AnswerLog log = AnswerLog.open(cut)) {
                assertThat(log.answers()).as("cut at %d", length).hasSize(whole);
                log.append(answers(1));
            }
            try (AnswerLog log = AnswerLog.open(cut)) {
                assertThat(log.answers()).as("cut at %d, appended", length).containsAll(answers(1));
            }
        }
    }

    private static boolean isNearAnEnd(byte[] bytes, int length) {
        for (int i = Math.max(0, length - 2); i < Math.min(bytes.length, length + 2); i++) {
            if (bytes[i] == '\n') {
                return true;
            }
        }
        return false;
    }

    /// A distribution may give probability zero to a token that full attention considers possible.
    @Test
    void numbersNeedNotBeFinite() {
        Path file = folder.resolve("log.jsonl");
        AnswerRecord one = answers(0).getLast();
        var divergence = new AnswerRecord.Divergence(3, Double.POSITIVE_INFINITY, Double.NaN, 0.5);
        AnswerRecord odd = new AnswerRecord(
                one.key(),
                one.answer(),
                one.answerIds(),
                one.references(),
                Map.of("own", Double.NaN),
                one.labels(),
                one.promptHash(),
                one.promptTokens(),
                one.prefillSeconds(),
                one.sealSeconds(),
                one.decodeSeconds(),
                one.decodeSteps(),
                one.batch(),
                Double.NaN,
                one.residentBytes(),
                one.offloadedBytes(),
                one.finish(),
                divergence,
                null,
                null);
        try (AnswerLog log = AnswerLog.open(file)) {
            log.append(odd);
        }
        assertThat(AnswerLog.read(file)).containsExactly(odd);
    }

    @Test
    void aForeignFileIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("log.jsonl"), "{\"key\":1}\n");
        assertThatThrownBy(() -> AnswerLog.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("log.jsonl, line 1");
    }
}
