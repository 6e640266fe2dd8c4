package io.shadowkv.eval.ruler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.catalog.TaskCatalog;
import io.shadowkv.eval.needle.RandomDraws;
import io.shadowkv.eval.ruler.text.Essay;
import io.shadowkv.eval.ruler.text.RulerKind;
import io.shadowkv.eval.ruler.text.RulerWords;
import io.shadowkv.eval.text.HaystackFile;
import io.shadowkv.eval.text.RunningText;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class RulerTaskTest {
    @TempDir
    static Path folder;

    private static Tokenizer tokenizer;
    private static PromptFormat chat;

    @BeforeAll
    static void open() throws IOException {
        Goldens.dataFolder(folder);
        // The start of the bundled text is enough, and is read only once.
        Files.writeString(folder.resolve("text.txt"), HaystackFile.read(null).substring(0, 1 << 18));
        tokenizer = Tokenizers.open(Fixtures.needleModel());
        chat = PromptFormat.chat(ChatTemplate.open(Fixtures.needleModel()).orElseThrow(), tokenizer);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private static TaskContext context(String version, PromptFormat format, int tokens, long seed) {
        var options = new TaskContext.Options(version, folder.resolve("text.txt"), folder);
        return new TaskContext(tokenizer, format, tokens, seed, options);
    }

    static Stream<Arguments> tasks() {
        return Stream.of("nvidia", "shadowkv")
                .flatMap(version -> new RulerSuite().tasks().stream().map(task -> Arguments.of(version, task)));
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void fillsTheContextOfARealModel(String version, String name) {
        RulerTask task = new RulerSuite().open(name, context(version, chat, 4096, 42));
        RulerKind kind = RulerKind.named(name);
        for (int index = 0; index < 2; index++) {
            Sample sample = task.sample(index);
            Sample.Turn turn = sample.turns().getFirst();
            int[] ids = sample.wrapping() == Sample.Wrapping.CHAT
                    ? chat.first(turn.user(), turn.answerPrefix())
                    : chat.encodeWhole(turn.user() + turn.answerPrefix());
            int length = Integer.parseInt(sample.labels().get("length"));
            if (!(version.equals("shadowkv") && name.equals("vt"))) {
                assertThat(length).isEqualTo(ids.length + kind.newTokens());
            }
            int most = version.equals("shadowkv") && name.equals("fwe") ? 4096 + 50 : 4096;
            assertThat(length).isBetween(most - stepTokens(name), most);
            assertThat(turn.maxNewTokens()).isEqualTo(kind.newTokens());
            assertThat(turn.metrics()).isNotEmpty();
            assertThat(turn.metrics().getFirst().score(String.join(" ", turn.references()), turn.references()))
                    .isEqualTo(1);
            assertThat(turn.user()).contains(turn.references()).contains(turn.question());
            assertThat(sample.labels().containsKey("depth")).isEqualTo(name.startsWith("niah"));
            assertThat(sample.task()).isEqualTo(task.name()).isEqualTo("ruler/" + name);
        }
    }

    /// A row that is too long loses a whole step: 500 words, 25 lines of two UUIDs, 10 documents.
    private static int stepTokens(String name) {
        return switch (name) {
            case "niah_single_1" -> 25 * 24;
            case "vt" -> 10 * 24 * 2;
            case "cwe" -> 10 * 12 * 2;
            case "fwe", "niah_multikey_2" -> 1024;
            default -> 2000;
        };
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void isDeterminedBySeedAndIndex(String version, String name) {
        RulerTask asked = task(name, version, 7);
        asked.sample(2);
        Sample sample = asked.sample(1);
        assertThat(task(name, version, 7).sample(1)).isEqualTo(sample);
        assertThat(asked.sample(2).turns()).isNotEqualTo(sample.turns());
        assertThat(task(name, version, 8).sample(1).turns()).isNotEqualTo(sample.turns());
    }

    private static RulerTask task(String name, String version, long seed) {
        TaskContext counting = Goldens.context(folder, version, "phi", 4096);
        return new RulerSuite()
                .open(name, new TaskContext(counting.tokenizer(), counting.format(), 4096, seed, counting.options()));
    }

    @Test
    void theDepthIsWhereTheFirstAskedNeedleStands() {
        for (String name : List.of("niah_single_1", "niah_multikey_2", "niah_multivalue", "niah_multiquery")) {
            RulerTask task = Goldens.task(folder, name, "nvidia", "base", 20_000);
            for (int index = 0; index < 8; index++) {
                Sample sample = task.sample(index);
                String text = sample.turns().getFirst().user();
                int begin = text.indexOf('\n') + 1;
                int end = text.lastIndexOf('\n');
                int place = text.indexOf(
                        " is: " + sample.turns().getFirst().references().getFirst());
                double share = 100.0 * (place - begin) / (end - begin);
                assertThat(share)
                        .as(name + " " + index)
                        .isBetween(
                                Integer.parseInt(sample.labels().get("depth")) - 3.0,
                                Integer.parseInt(sample.labels().get("depth")) + 3.0);
            }
        }
    }

    /// The original's arithmetic: whole percentages of the sentences, rounded down in floating
    /// point.
    @Test
    void needlesStandBetweenSentencesAtFortyDepths() {
        Set<String> depths = new TreeSet<>();
        for (int depth = 0; depth < 40; depth++) {
            depths.add(Long.toString(Math.round(depth * 100 / 39.0)));
        }
        RulerTask task = Goldens.task(folder, "niah_multikey_1", "shadowkv", "base", 6000);
        for (int index = 0; index < 20; index++) {
            Sample sample = task.sample(index);
            String text = sample.turns().getFirst().user();
            String context = text.substring(text.indexOf('\n') + 1, text.lastIndexOf('\n'));
            String asked = sample.turns().getFirst().references().getFirst();
            int before = sentences(context.substring(0, context.indexOf(asked)) + ".");
            int sentences = sentences(context);
            String depth = sample.labels().get("depth");
            assertThat(depths).contains(depth);
            assertThat(before).isEqualTo((int) (sentences * (Integer.parseInt(depth) / 100.0)));
        }
    }

    /// Sentences of a text without its needles.
    private static int sentences(String context) {
        return Stream.of(context.split(" ?One of the special magic numbers for \\S+ is: \\d*\\. ?"))
                .filter(piece -> !piece.isBlank())
                .mapToInt(piece -> RunningText.of(piece).sentences().size())
                .sum();
    }

    @Test
    void theSingularMeetsANamedTemplateButNotTheModelsOwn() {
        PromptFormat named = PromptFormat.named("llama-3", tokenizer);
        Sample single = new RulerSuite()
                .open("niah_single_1", context("nvidia", named, 4096, 1))
                .sample(0);
        assertThat(single.wrapping()).isEqualTo(Sample.Wrapping.NONE);
        assertThat(single.turns().getFirst().user())
                .startsWith("<|begin_of_text|><|start_header_id|>system<|end_header_id|>You is a helpful assistant<|")
                .endsWith("?<|eot_id|><|start_header_id|>assistant<|end_header_id|>");
        Sample several = new RulerSuite()
                .open("niah_multiquery", context("nvidia", named, 4096, 1))
                .sample(0);
        assertThat(several.wrapping()).isEqualTo(Sample.Wrapping.CHAT);
        assertThat(several.turns().getFirst().user()).startsWith("Some special magic numbers are hidden");
        RulerRow own = new RulerSuite()
                .open("niah_single_1", context("nvidia", chat, 4096, 1))
                .row(0);
        assertThat(own.sample().wrapping()).isEqualTo(Sample.Wrapping.CHAT);
        assertThat(own.input()).contains("You are a helpful assistant").contains("A special magic number is hidden");
    }

    @Test
    void theWorkedExampleOfCweCarriesTheWrapping() {
        Sample sample =
                new RulerSuite().open("cwe", context("nvidia", chat, 4096, 1)).sample(0);
        String text = sample.turns().getFirst().user();
        assertThat(sample.wrapping()).isEqualTo(Sample.Wrapping.NONE);
        assertThat(text.split("<\\|begin_of_text\\|>", -1)).hasSize(3);
        assertThat(text)
                .contains("assistant<|end_header_id|> Answer: The top 10 words that appear most often in the"
                        + " list are: 1. ");
    }

    @Test
    void longListsOfWordsHavePairsToo() {
        var words = new RulerWords(List.of("a", "b"), List.of("d", "e"), List.of("a", "b", "d", "e"));
        assertThat(words.different(4, RandomDraws.random(1, "", 0))).containsExactlyInAnyOrder("a", "b", "d", "e");
        assertThat(words.different(8, RandomDraws.random(1, "", 0)))
                .containsExactlyInAnyOrder("a", "b", "d", "e", "a-d", "a-e", "b-d", "b-e");
    }

    @Test
    void readsEssaysInAllForms() throws IOException {
        Path plain = Files.writeString(folder.resolve("plain.txt"), "One. Two\nthree!  Four.");
        Path json = Files.writeString(folder.resolve("essays.json"), "{\"text\": \"One. Two\\nthree!  Four.\"}");
        Path packed = folder.resolve("essays.json.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(Files.readString(json).getBytes(StandardCharsets.UTF_8));
        }
        for (Path file : List.of(plain, json, packed)) {
            Essay essay = new Essay(HaystackFile.read(file));
            assertThat(essay.words()).isEqualTo(4);
            assertThat(essay.sentences(3, true)).containsExactly("One.", "Two three!");
            assertThat(essay.sentences(6, true)).containsExactly("One.", "Two three!", "Four.", "One.", "Two");
            assertThat(essay.sentences(6, false)).containsExactly("One.", "Two three!", "Four.");
        }
    }

    @Test
    void saysWhatIsMissing() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("empty"));
        var nothing = new TaskContext(
                tokenizer, chat, 4096, 1, new TaskContext.Options("nvidia", empty.resolve("no.txt"), empty));
        assertThatThrownBy(() -> TaskCatalog.open("ruler/qa_1", nothing))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(empty.resolve("ruler/squad.json").toString())
                .hasMessageContaining("SQuAD 2.0");
        assertThatThrownBy(() -> TaskCatalog.open("ruler/qa_2", nothing))
                .hasMessageContaining(empty.resolve("ruler/hotpotqa.json").toString())
                .hasMessageContaining("HotpotQA");
        assertThatThrownBy(() -> TaskCatalog.open("ruler/niah_single_2", nothing))
                .hasMessageContaining("no.txt does not exist");
        assertThatThrownBy(() -> new RulerSuite().open("vt", context("newest", chat, 4096, 1)))
                .hasMessageContaining("nvidia or shadowkv");
        assertThatThrownBy(() -> new RulerSuite()
                        .open("qa_1", context("nvidia", chat, 4096, 1))
                        .sample(288))
                .hasMessageContaining("has 288 samples; there is no sample 288");
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void refusesContextsThatAreTooSmall(String version, String name) {
        assertThatThrownBy(() -> new RulerSuite()
                        .open(name, context(version, chat, 100, 1))
                        .sample(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("(?s).*(100 tokens were allowed|with 100 tokens).*Ask for .*");
    }
}
