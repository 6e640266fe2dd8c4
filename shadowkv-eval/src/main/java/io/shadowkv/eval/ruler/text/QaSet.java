package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.text.PackedFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;

/// Questions and the documents with their answers.
///
/// @param documents distinct and sorted
/// @param questions in the file's order
public record QaSet(List<String> documents, List<Question> questions) {
    /// A question.
    ///
    /// @param text the question
    /// @param answers any of them is right
    /// @param own documents with the answer
    /// @param related documents that are added first if more are needed
    record Question(String text, List<String> answers, List<Integer> own, List<Integer> related) {}

    /// Maximum number of documents of a question.
    int mostOwn() {
        return questions.stream()
                .mapToInt(question -> question.own().size())
                .max()
                .orElse(1);
    }

    /// Reads SQuAD 2.0: each paragraph is a document; questions without an answer are skipped.
    ///
    /// @throws IllegalArgumentException if the file does not exist or has another form
    public static QaSet squad(Path file) {
        return read(file, "qa_1", "SQuAD 2.0's dev set (dev-v2.0.json)", bytes -> {
            JsonNode articles = JsonMapper.shared().readTree(bytes).path("data");
            var documents = new TreeSet<String>();
            articles.forEach(article -> article.path("paragraphs").forEach(p -> documents.add(context(p))));
            Map<String, Integer> numbers = numbers(documents);
            List<Question> questions = new ArrayList<>();
            articles.forEach(article -> {
                List<Integer> all = new ArrayList<>();
                article.path("paragraphs").forEach(paragraph -> all.add(numbers.get(context(paragraph))));
                article.path("paragraphs").forEach(paragraph -> {
                    Integer own = numbers.get(context(paragraph));
                    List<Integer> related =
                            all.stream().filter(n -> !n.equals(own)).toList();
                    paragraph.path("qas").forEach(question -> {
                        if (!question.path("is_impossible").asBoolean(false)) {
                            questions.add(new Question(
                                    question.path("question").asString(), answers(question), List.of(own), related));
                        }
                    });
                });
            });
            return new QaSet(List.copyOf(documents), questions);
        });
    }

    /// Reads HotpotQA's dev set: each question has its own paragraphs, including distractors.
    ///
    /// @throws IllegalArgumentException if the file does not exist or has another form
    public static QaSet hotpot(Path file) {
        return read(file, "qa_2", "HotpotQA's dev set with distractors (hotpot_dev_distractor_v1.json)", bytes -> {
            var documents = new TreeSet<String>();
            List<Hop> hops = new ArrayList<>();
            // Reads one element at a time: a tree of the file would take ten times its tens of
            // megabytes.
            try (MappingIterator<JsonNode> elements =
                    JsonMapper.shared().readerFor(JsonNode.class).readValues(bytes)) {
                while (elements.hasNext()) {
                    Hop hop = Hop.of(elements.next());
                    documents.addAll(hop.documents());
                    hops.add(hop);
                }
            }
            Map<String, Integer> numbers = numbers(documents);
            return new QaSet(
                    List.copyOf(documents),
                    hops.stream()
                            .map(hop -> new Question(
                                    hop.question(),
                                    List.of(hop.answer()),
                                    hop.documents().stream().map(numbers::get).toList(),
                                    List.of()))
                            .toList());
        });
    }

    private record Hop(String question, String answer, List<String> documents) {
        static Hop of(JsonNode node) {
            List<String> documents = new ArrayList<>();
            node.path("context").forEach(titled -> {
                var document = new StringBuilder(titled.path(0).asString()).append('\n');
                titled.path(1).forEach(sentence -> document.append(sentence.asString()));
                documents.add(document.toString());
            });
            return new Hop(node.path("question").asString(), node.path("answer").asString(), documents);
        }
    }

    private static String context(JsonNode paragraph) {
        return paragraph.path("context").asString();
    }

    private static List<String> answers(JsonNode question) {
        List<String> answers = new ArrayList<>();
        question.path("answers")
                .forEach(answer -> answers.add(answer.path("text").asString()));
        return answers;
    }

    private static Map<String, Integer> numbers(TreeSet<String> documents) {
        Map<String, Integer> numbers = HashMap.newHashMap(documents.size());
        documents.forEach(document -> numbers.put(document, numbers.size()));
        return numbers;
    }

    @FunctionalInterface
    private interface Reader {
        QaSet read(InputStream bytes) throws IOException;
    }

    private static QaSet read(Path named, String task, String what, Reader reader) {
        Path file = PackedFile.existing(named);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(file.toAbsolutePath() + ": no such file, nor with .gz. ruler/"
                    + task + " reads it: " + what + ", which is not included. Download it, then `shadowkv pull --suite"
                    + " ruler/" + task + " --from FILE`; or name the folder above its ruler/ folder; or use the"
                    + " other tasks: ruler/niah_*, ruler/vt, ruler/cwe, ruler/fwe");
        }
        try (InputStream bytes = PackedFile.open(file)) {
            QaSet set = reader.read(bytes);
            if (set.questions().isEmpty()) {
                throw new IllegalArgumentException(file + ": has no questions; expected " + what);
            }
            return set;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    file + ": is not JSON (" + e.getOriginalMessage() + "); expected " + what, e);
        }
    }
}
