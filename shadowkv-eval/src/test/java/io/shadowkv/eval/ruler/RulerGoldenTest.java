package io.shadowkv.eval.ruler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.BlankTokenizer;
import io.shadowkv.eval.ModelTemplate;
import io.shadowkv.eval.ruler.text.RulerKind;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Compares rows with those of the original generators, made from the same sources with the same
/// tokenizer. All text that is not random is equal to the character, and so is the size that the
/// search found.
final class RulerGoldenTest {
    private static final Pattern KEY = Pattern.compile("\\b[a-z]+-[a-z]+\\b");
    private static final Pattern UUID =
            Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    private static final Pattern NUMBER = Pattern.compile("\\b[1-9]\\d{6}\\b");
    private static final Pattern NEEDLE = Pattern.compile("One of the special magic \\w+ for \\S+ is: \\S+\\.");
    private static final Pattern ASSIGNMENT = Pattern.compile("VAR [A-Z]+ = (VAR )?\\w+ ?[ \\n]");
    private static final Pattern DOCUMENT = Pattern.compile("Document \\d+:\\n");

    @TempDir
    static Path folder;

    @BeforeAll
    static void layOutSources() {
        Goldens.dataFolder(folder);
    }

    /// A row of the originals and its parameters.
    record Golden(String version, JsonNode row) {
        String task() {
            return row.get("task").stringValue();
        }

        int tokens() {
            return row.get("max_seq_length").intValue();
        }

        String template() {
            return row.get("model_template").stringValue();
        }

        List<String> outputs() {
            return Goldens.texts(row.get("outputs"));
        }

        @Override
        public String toString() {
            return version + " " + task() + " " + tokens() + " " + template();
        }

        RulerTask open() {
            return Goldens.task(folder, task(), version, template(), tokens());
        }
    }

    static Stream<Golden> rows() {
        return Stream.of("nvidia", "shadowkv")
                .flatMap(version ->
                        Goldens.lines("rows_" + version + ".jsonl").stream().map(row -> new Golden(version, row)));
    }

    static Stream<Golden> generated() {
        return rows().filter(golden -> !golden.task().startsWith("qa"));
    }

    static Stream<Golden> questions() {
        return rows().filter(golden -> golden.task().startsWith("qa"));
    }

    @ParameterizedTest
    @MethodSource("generated")
    void isTheOriginalsRowButForWhatIsDrawn(Golden golden) {
        for (int index : new int[] {0, 3}) {
            RulerRow ours = golden.open().row(index);
            JsonNode row = JsonMapper.shared().readTree(ours.json());
            assertThat(masked(golden.task(), row.get("input").stringValue()))
                    .isEqualTo(masked(golden.task(), golden.row().get("input").stringValue()));
            assertThat(row.get("length").intValue())
                    .isEqualTo(golden.row().get("length").intValue());
            assertThat(ours.outputs()).hasSameSizeAs(golden.outputs()).doesNotHaveDuplicates();
            if (!golden.task().equals("cwe")) {
                assertThat(ours.input()).contains(ours.outputs());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("rows")
    void hasTheOriginalsFields(Golden golden) {
        JsonNode row = JsonMapper.shared().readTree(golden.open().row(1).json());
        List<String> fields = golden.row().propertyNames().stream()
                .filter(name ->
                        !List.of("task", "max_seq_length", "model_template").contains(name))
                .toList();
        assertThat(row.propertyNames()).containsExactlyElementsOf(fields);
        if (fields.contains("answer_prefix")) {
            assertThat(masked("", row.get("answer_prefix").stringValue()))
                    .isEqualTo(masked("", golden.row().get("answer_prefix").stringValue()));
            assertThat(row.get("length_w_model_temp")).isEqualTo(row.get("length"));
        }
        String input = row.get("input").stringValue();
        if (fields.contains("token_position_answer")) {
            int place = input.indexOf(row.get("outputs").get(0).stringValue());
            assertThat(row.get("index").intValue()).isEqualTo(place);
            assertThat(row.get("token_position_answer").intValue())
                    .isEqualTo(new BlankTokenizer().encode(input.substring(0, place), false).length);
        } else {
            assertThat(row.get("index").intValue()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @MethodSource("questions")
    void asksTheFilesQuestionsAmongDocuments(Golden golden) {
        RulerTask task = golden.open();
        int index = golden.row().get("index").intValue();
        RulerRow ours = task.row(index);
        assertThat(ours.outputs()).isEqualTo(golden.outputs());
        String input = JsonMapper.shared().readTree(ours.json()).get("input").stringValue();
        String theirs = golden.row().get("input").stringValue();
        String begin = "are given documents.\n\nDocument 1:\n";
        String end = "\n\nAnswer the question based";
        assertThat(input.substring(0, input.indexOf(begin) + begin.length()))
                .isEqualTo(theirs.substring(0, theirs.indexOf(begin) + begin.length()));
        assertThat(input.substring(input.lastIndexOf(end))).isEqualTo(theirs.substring(theirs.lastIndexOf(end)));
        assertThat(input).contains(ours.outputs());
        // Documents are random and have different lengths, so sizes may differ by the step of a
        // row.
        assertThat(count(DOCUMENT, input)).isCloseTo(count(DOCUMENT, theirs), within(golden.tokens() / 500 + 10));
        assertThat(ours.length()).isBetween(golden.tokens() * 6 / 10, golden.tokens());
        assertThat(task.size()).isEqualTo(golden.task().equals("qa_1") ? 288 : 60);
    }

    @Test
    void countsWordsAsTheOriginalsDo() {
        for (JsonNode golden : Goldens.lines("row_properties.jsonl")) {
            String task = golden.get("task").stringValue();
            if (golden.get("row").intValue() != 0 || !List.of("cwe", "fwe").contains(task)) {
                continue;
            }
            String version = golden.get("variant").stringValue();
            int tokens = golden.get("max_seq_length").intValue();
            RulerRow ours = Goldens.task(folder, task, version, "base", tokens).row(0);
            String input = ours.input();
            if (task.equals("cwe")) {
                String list = input.substring(input.lastIndexOf("often.\n") + 7, input.lastIndexOf("\nQuestion"));
                Map<String, Integer> counts = counts(list.replaceAll("\\d+\\. ", ""));
                assertThat(counts).hasSize(golden.get("different_words").intValue());
                int common = golden.get("top_counts").get(0).intValue();
                counts.forEach((word, count) -> assertThat(count)
                        .isEqualTo(
                                ours.outputs().contains(word)
                                        ? common
                                        : golden.get("other_counts").get(0).intValue()));
            } else {
                String words = input.substring(input.indexOf("coded words. ") + 13, input.lastIndexOf("\nQuestion"));
                Map<String, Integer> counts = counts(words);
                assertThat(counts).hasSize(golden.get("different_words").intValue());
                for (int i = 0; i < 4; i++) {
                    String word = i == 0 ? "..." : ours.outputs().get(i - 1);
                    assertThat(counts.get(word))
                            .isEqualTo(golden.get("top_counts").get(i).get(1).intValue());
                }
            }
        }
    }

    @Test
    void templatesAreThePapers() {
        JsonNode templates = Goldens.json(Goldens.FOLDER.resolve("shadowkv_model_templates.json"));
        assertThat(ModelTemplate.names().subList(0, templates.size()))
                .containsExactlyElementsOf(templates.propertyNames());
        for (String name : templates.propertyNames()) {
            assertThat(whole(name)).isEqualTo(templates.get(name).stringValue());
        }
    }

    private static String whole(String name) {
        ModelTemplate template = ModelTemplate.named(name);
        return template.before() + "{task_template}" + template.after();
    }

    /// As they stand in NVIDIA/RULER, scripts/data/template.py, at c3f5e3b.
    @Test
    void templatesAreThoseOfRulersScripts() {
        Map<String, String> official = Map.of(
                "meta-chat", "[INST] {task_template} [/INST]",
                "lwm-chat", "You are a helpful assistant. USER: {task_template} ASSISTANT: ",
                "chatglm-chat", "[gMASK]sop<|user|> \n {task_template}<|assistant|> \n ",
                "Phi3", "<|user|>\n{task_template}<|end|>\n<|assistant|>\n",
                "meta-llama3",
                        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{task_template}<|eot_id|>"
                                + "<|start_header_id|>assistant<|end_header_id|>\n\n");
        assertThat(ModelTemplate.names()).containsAll(official.keySet()).hasSize(7 + official.size());
        official.forEach((name, template) -> assertThat(whole(name)).isEqualTo(template));
    }

    @Test
    void tasksAreTheOriginals() {
        JsonNode tasks = Goldens.json(Goldens.FOLDER.resolve("ruler_tasks.json"));
        assertThat(tasks.size()).isEqualTo(2 * RulerKind.ALL.size());
        tasks.forEach(task -> assertThat(
                        RulerKind.named(task.get("task").stringValue()).newTokens())
                .isEqualTo(task.get("tokens_to_generate").intValue()));
    }

    private static Map<String, Integer> counts(String words) {
        Map<String, Integer> counts = new TreeMap<>();
        for (String word : words.split(" ")) {
            counts.merge(word, 1, Integer::sum);
        }
        return counts;
    }

    private static int count(Pattern pattern, String text) {
        return (int) pattern.matcher(text).results().count();
    }

    /// A row without its random text, in an order that does not depend on positions.
    private static String masked(String task, String input) {
        return switch (task) {
            case "vt" ->
                "%d assignments\n%s"
                        .formatted(
                                count(ASSIGNMENT, input),
                                ASSIGNMENT
                                        .matcher(input)
                                        .replaceAll("")
                                        .replaceAll("\\b[1-9]\\d{4}\\b", "12345")
                                        .replaceAll("\\b[A-Z]{3}\\b", "NAM"));
            case "cwe" -> input.replaceAll("(\\d+)\\. [a-z]+", "$1. word");
            case "fwe" ->
                input.replaceAll("(?<= )(?!please|appear|words)(\\.\\.\\.|[a-z]{6})(?=[ \\n])", "#")
                        .replaceAll("#( #)+", "#");
            default -> {
                // Without needles, spaces are meaningless: at depth 0 an empty piece leaves one.
                String bare = NEEDLE.matcher(input).results().count() + " needles\n"
                        + NEEDLE.matcher(input).replaceAll("").replaceAll("[ \\n]+", " ");
                yield KEY.matcher(NUMBER.matcher(UUID.matcher(bare).replaceAll("uuid"))
                                .replaceAll("number"))
                        .replaceAll("key")
                        .replaceAll("\\b\\d{5}\\b", "12345");
            }
        };
    }
}
