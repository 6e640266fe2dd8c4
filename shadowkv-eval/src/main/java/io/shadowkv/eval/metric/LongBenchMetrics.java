package io.shadowkv.eval.metric;

import io.shadowkv.eval.Metric;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// LongBench's metrics (THUDM/LongBench, `LongBench/metrics.py` and `LongBench/eval.py`). The
/// highest score over all references counts.
///
/// The official Chinese metrics count words cut by jieba ([JiebaSegmenter]). The constants in this
/// class count characters instead, and their names say so with `(chars)`.
public final class LongBenchMetrics {
    /// F1 over words after [Normalization#answer].
    public static final BestReference QA_F1_SCORE = new BestReference(
            "qa_f1_score",
            (answer, reference) -> TokenF1.f1(
                    PythonText.split(Normalization.answer(answer)), PythonText.split(Normalization.answer(reference))));

    /// F1 over characters after [Normalization#chinese].
    public static final BestReference QA_F1_ZH_SCORE = chineseF1("qa_f1_zh_score(chars)", PythonText::characters);

    /// The F score of ROUGE-L, computed as in the Python package `rouge`.
    public static final BestReference ROUGE_SCORE = new BestReference("rouge_score", RougeL::f);

    /// The same over characters.
    public static final BestReference ROUGE_ZH_SCORE = chineseRouge("rouge_zh_score(chars)", PythonText::characters);

    /// Share of the answer's numbers that equal the reference's, as in `Paragraph 7`.
    public static final BestReference RETRIEVAL_SCORE = new BestReference(
            "retrieval_score", (answer, reference) -> shareOfNumbers(answer, numberAfter("Paragraph ", reference)));

    /// Share of the answer's numbers that equal the reference's, as in `段落7`.
    public static final BestReference RETRIEVAL_ZH_SCORE = new BestReference(
            "retrieval_zh_score", (answer, reference) -> shareOfNumbers(answer, numberAfter("段落", reference)));

    /// Share of the answer's numbers that equal the reference.
    public static final BestReference COUNT_SCORE = new BestReference("count_score", LongBenchMetrics::shareOfNumbers);

    /// Similarity to the answer's first line of code, in whole percent.
    public static final BestReference CODE_SIM_SCORE =
            new BestReference("code_sim_score", LongBenchMetrics::codeLikeness);

    /// LongBench v2's metric: true if the answer says `The correct answer is (A)`, with or without
    /// the brackets, and names the right letter (THUDM/LongBench, `pred.py`, `extract_answer`).
    /// Other wordings count as wrong.
    public static final BestReference ACCURACY =
            new BestReference("accuracy", (answer, reference) -> chosen(answer).equals(reference) ? 1 : 0);

    private static final List<Pattern> CHOICES = List.of(
            Pattern.compile("The correct answer is \\(([A-D])\\)"), Pattern.compile("The correct answer is ([A-D])"));

    private LongBenchMetrics() {}

    /// 1 divided by the number of classes that the answer names, if the right class is among them.
    /// Classes whose name is part of the right one's do not count.
    ///
    /// @param classes all possible classes
    public static BestReference classificationScore(List<String> classes) {
        List<String> all = List.copyOf(classes);
        return new BestReference("classification_score", (answer, reference) -> {
            List<String> named =
                    new ArrayList<>(all.stream().filter(answer::contains).toList());
            // The original removes elements from the list while it iterates over it, and so skips
            // the next one.
            for (int i = 0; i < named.size(); i++) {
                String name = named.get(i);
                if (reference.contains(name) && !name.equals(reference)) {
                    named.remove(name);
                }
            }
            return named.contains(reference) ? 1.0 / named.size() : 0;
        });
    }

    /// F1 over words, each after [Normalization#chinese]; with jieba's words it is
    /// `qa_f1_zh_score`.
    public static BestReference chineseF1(String name, Segmenter segmenter) {
        return new BestReference(
                name,
                (answer, reference) -> TokenF1.f1(chineseWords(answer, segmenter), chineseWords(reference, segmenter)));
    }

    /// [#ROUGE_SCORE] over a segmenter's words; with jieba's words it is `rouge_zh_score`.
    public static BestReference chineseRouge(String name, Segmenter segmenter) {
        return new BestReference(
                name,
                (answer, reference) ->
                        RougeL.f(String.join(" ", segmenter.cut(answer)), String.join(" ", segmenter.cut(reference))));
    }

    /// The metric of a task; for some tasks it is applied to the answer's first line only.
    ///
    /// @param task name of a LongBench dataset
    /// @param classes all classes of the sample, for `trec` and `lsht`
    /// @param segmenter jieba's, for `multifieldqa_zh`, `dureader` and `vcsum`; not used for other
    ///     tasks
    /// @throws IllegalArgumentException if LongBench has no such task
    public static Metric of(String task, List<String> classes, Segmenter segmenter) {
        return switch (task) {
            case "narrativeqa", "qasper", "multifieldqa_en", "hotpotqa", "2wikimqa", "musique" -> QA_F1_SCORE;
            case "triviaqa" -> QA_F1_SCORE.ofFirstLine();
            case "multifieldqa_zh" -> chineseF1("qa_f1_zh_score", segmenter);
            case "gov_report", "qmsum", "multi_news" -> ROUGE_SCORE;
            case "samsum" -> ROUGE_SCORE.ofFirstLine();
            case "dureader", "vcsum" -> chineseRouge("rouge_zh_score", segmenter);
            case "trec", "lsht" -> classificationScore(classes).ofFirstLine();
            case "passage_retrieval_en" -> RETRIEVAL_SCORE;
            case "passage_retrieval_zh" -> RETRIEVAL_ZH_SCORE;
            case "passage_count" -> COUNT_SCORE;
            case "lcc", "repobench-p" -> CODE_SIM_SCORE;
            default -> throw new IllegalArgumentException("LongBench has no task \"" + task + "\" to score");
        };
    }

    private static List<String> chineseWords(String text, Segmenter segmenter) {
        return segmenter.cut(text).stream()
                .map(Normalization::chinese)
                .filter(word -> !word.isEmpty())
                .toList();
    }

    /// The letter that the answer names, or an empty text. Asterisks, which mark bold text, are
    /// ignored.
    static String chosen(String answer) {
        String plain = answer.replace("*", "");
        return CHOICES.stream()
                .map(pattern -> pattern.matcher(plain))
                .filter(Matcher::find)
                .map(matcher -> matcher.group(1))
                .findFirst()
                .orElse("");
    }

    private static double shareOfNumbers(String answer, String wanted) {
        List<String> numbers = PythonText.numbers(answer);
        return numbers.isEmpty() ? 0 : AllReferences.share(numbers, wanted::equals);
    }

    /// The digits after the first `word` that is followed by digits.
    private static String numberAfter(String word, String reference) {
        for (int at = reference.indexOf(word); at >= 0; at = reference.indexOf(word, at + 1)) {
            String rest = reference.substring(at + word.length());
            if (!rest.isEmpty() && Character.isDigit(rest.codePointAt(0))) {
                return PythonText.numbers(rest).getFirst();
            }
        }
        throw new IllegalArgumentException("the reference \"" + reference + "\" names no paragraph; expected \"" + word
                + "\" and a number, as LongBench's files have it");
    }

    /// Compares the first line that is neither a comment nor a code fence, as `fuzzywuzzy`'s
    /// `ratio` does: two empty lines are equal, and one empty line has similarity 0 to any other.
    private static double codeLikeness(String answer, String reference) {
        String line = PythonText.split(PythonText.withoutLeadingLines(answer), '\n').stream()
                .filter(code -> !code.contains("`") && !code.contains("#") && !code.contains("//"))
                .findFirst()
                .orElse("");
        if (line.equals(reference)) {
            return 1;
        }
        return line.isEmpty() || reference.isEmpty() ? 0 : Math.rint(100 * SequenceRatio.ratio(line, reference)) / 100;
    }
}
