package io.shadowkv.eval.statistics;

import io.shadowkv.eval.run.AnswerRecord;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// Says why scores are not comparable with the published ones, and what would make them so.
public final class PublishedNumbers {
    private static final String CUT = "cut";
    private static final String PROMPTS = "prompts";

    private PublishedNumbers() {}

    /// One line for each reason; empty if the scores are comparable.
    public static List<String> notes(Collection<AnswerRecord> answers) {
        Map<String, List<AnswerRecord>> suites = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            String task = answer.key().task();
            suites.computeIfAbsent(task.substring(0, Math.max(0, task.indexOf('/'))), _ -> new ArrayList<>())
                    .add(answer);
        }
        List<String> notes = new ArrayList<>();
        suites.forEach((suite, ofSuite) -> {
            switch (suite) {
                case "longbench", "longbench-e" -> {
                    prompts(suite, ofSuite, notes);
                    cut(suite, "to 31,500 tokens for a context of 32k (--cut official)", ofSuite, notes);
                }
                case "longbench-v2", "longbench-v2-cot" -> {
                    notes.add(suite
                            + ": answers are greedy here and an empty one is wrong; the official script samples at"
                            + " temperature 0.1 and asks again where an answer is empty.");
                    cut(suite, "to 120,000 tokens (--cut official)", ofSuite, notes);
                }
                case "infinitebench" -> {
                    prompts(suite, ofSuite, notes);
                    cut(suite, "to 131,072 tokens and for Yi to 200,000", ofSuite, notes);
                }
                case "scbench" -> {
                    scbench(ofSuite, notes);
                    cut(suite, "to its --max_seq_length less room for as many answers as turns", ofSuite, notes);
                }
                default -> {}
            }
        });
        return notes;
    }

    private static void prompts(String suite, List<AnswerRecord> answers, List<String> notes) {
        if (answers.stream()
                .anyMatch(answer -> "shadowkv".equals(answer.labels().get(PROMPTS)))) {
            notes.add(suite
                    + ": asked with the paper's prompts and scored by the suite's own metrics; the paper's score is"
                    + " not published, so these numbers are comparable with neither.");
        }
        if (answers.stream().anyMatch(answer -> "chat".equals(answer.labels().get(PROMPTS)))) {
            notes.add(suite
                    + ": asked in the model's chat with GPT-4's prompts and longer answers; the published numbers of"
                    + " open models are made with --template base.");
        }
    }

    private static void cut(String suite, String official, List<AnswerRecord> answers, List<String> notes) {
        Set<Object> texts = new LinkedHashSet<>();
        Set<Object> cut = new LinkedHashSet<>();
        for (AnswerRecord answer : answers) {
            var text = List.of(
                    answer.key().task(),
                    answer.key().contextTokens(),
                    answer.key().index());
            texts.add(text);
            if ("true".equals(answer.labels().get("truncated"))
                    && !answer.labels().containsKey(CUT)) {
                cut.add(text);
            }
        }
        if (!cut.isEmpty()) {
            notes.add("%s: %,d of %,d texts were cut to what --length leaves; the official script cuts %s."
                    .formatted(suite, cut.size(), texts.size(), official));
        }
    }

    private static void scbench(List<AnswerRecord> answers, List<String> notes) {
        Set<String> whole = new TreeSet<>();
        Set<String> functions = new TreeSet<>();
        for (AnswerRecord answer : answers) {
            String task = answer.key().task();
            String metric = answer.isJudged()
                    ? Objects.requireNonNull(answer.scores().keySet().iterator().next())
                    : "";
            if (metric.endsWith(":whole_label")) {
                whole.add(task);
            }
            if (metric.startsWith("repoqa")) {
                functions.add(task);
            }
        }
        if (!whole.isEmpty()) {
            notes.add(String.join(", ", whole) + ": a label is one answer here; the published numbers use each of its"
                    + " characters as an answer and are given for each turn, by the script's metric.");
        }
        if (!functions.isEmpty()) {
            notes.add(String.join(", ", functions)
                    + ": an answer's whole code block is compared; the script compares the" + " first function in it.");
        }
    }
}
