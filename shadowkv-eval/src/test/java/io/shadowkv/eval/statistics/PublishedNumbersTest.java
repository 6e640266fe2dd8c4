package io.shadowkv.eval.statistics;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.Records;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Scores that are not comparable with published ones have a note; others have none.
final class PublishedNumbersTest {
    private static List<String> notes(AnswerRecord... answers) {
        return PublishedNumbers.notes(List.of(answers));
    }

    private static AnswerRecord answer(String task, int index, Map<String, String> labels) {
        return Records.of(task, index, 0, labels, "own", 1.0);
    }

    @Test
    void whatIsPublishedNeedsNoLine() {
        assertThat(notes(
                        answer("longbench/trec", 0, Map.of("truncated", "false")),
                        answer("longbench/trec", 1, Map.of("truncated", "true", "cut", "31500")),
                        answer("infinitebench/passkey", 0, Map.of("truncated", "false")),
                        answer("scbench/scbench_kv", 0, Map.of("truncated", "false")),
                        answer("ruler/vt", 0, Map.of())))
                .isEmpty();
    }

    @Test
    void textsThatWereCutToTheLengthAreCounted() {
        assertThat(notes(
                        answer("longbench/trec", 0, Map.of("truncated", "true")),
                        answer("longbench/trec", 1, Map.of("truncated", "false")),
                        answer("longbench/samsum", 0, Map.of("truncated", "true"))))
                .containsExactly("longbench: 2 of 3 texts were cut to what --length leaves; the official script cuts to"
                        + " 31,500 tokens for a context of 32k (--cut official).");
        assertThat(notes(answer("longbench-v2/long", 0, Map.of("truncated", "true"))))
                .hasSize(2)
                .anySatisfy(note -> assertThat(note).contains("temperature 0.1"))
                .anySatisfy(note -> assertThat(note).contains("cuts to 120,000 tokens"));
    }

    @Test
    void theLongestTextsOfOtherSuitesAreNamedToo() {
        assertThat(notes(
                        answer("infinitebench/passkey", 0, Map.of("truncated", "true")),
                        answer("scbench/scbench_kv", 0, Map.of("truncated", "true"))))
                .hasSize(2)
                .anySatisfy(note -> assertThat(note)
                        .isEqualTo(
                                "infinitebench: 1 of 1 texts were cut to what --length leaves; the official script cuts"
                                        + " to 131,072 tokens and for Yi to 200,000."))
                .anySatisfy(note -> assertThat(note).startsWith("scbench: 1 of 1 texts were cut"));
    }

    @Test
    void infiniteBenchInAChatIsNotThePublishedWay() {
        assertThat(notes(answer("infinitebench/passkey", 0, Map.of("prompts", "chat"))))
                .singleElement()
                .asString()
                .contains("GPT-4's prompts", "--template base");
        assertThat(notes(answer("longbench/lsht", 0, Map.of("prompts", "shadowkv"))))
                .singleElement()
                .asString()
                .contains("the paper's prompts");
    }

    @Test
    void labelsThatTheScriptWalksThroughAreNamed() {
        AnswerRecord manyShot = Records.of(
                "scbench/scbench_many_shot",
                0,
                0,
                Map.of(),
                "longdialogue_qa_eng:whole_label",
                0.0,
                "longdialogue_qa_eng",
                1.0);
        AnswerRecord functions = Records.of("scbench/scbench_repoqa", 0, 0, Map.of(), "repoqa_pass@1_0.8", 1.0);
        assertThat(notes(manyShot, functions))
                .hasSize(2)
                .anySatisfy(
                        note -> assertThat(note).startsWith("scbench/scbench_many_shot: a label is one answer here"))
                .anySatisfy(note -> assertThat(note).startsWith("scbench/scbench_repoqa: "));
    }
}
