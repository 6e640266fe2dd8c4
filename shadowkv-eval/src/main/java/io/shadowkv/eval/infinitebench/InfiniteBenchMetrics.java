package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.metric.AllReferences;
import io.shadowkv.eval.metric.BestReference;
import io.shadowkv.eval.metric.Normalization;
import io.shadowkv.eval.metric.PythonText;
import io.shadowkv.eval.metric.RougeLsum;
import io.shadowkv.eval.metric.TokenF1;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// InfiniteBench's metrics, named after its functions without `get_score_one_`
/// (OpenBMB/InfiniteBench, `src/compute_scores.py`). Their quirks are kept; comments describe each
/// of them.
public final class InfiniteBenchMetrics {
    /// The first run of digits equals the reference.
    public static final Metric PASSKEY = new AllReferences("passkey", InfiniteBenchMetrics::passkey);

    public static final Metric NUMBER_STRING = new AllReferences("number_string", InfiniteBenchMetrics::passkey);

    /// A whole word equals the reference; quotes, colons, braces and full stops separate words.
    public static final Metric KV_RETRIEVAL = new AllReferences(
            "kv_retrieval",
            (answer, references) -> hit(wordsWithout(answer, "\n:\"'.,?!{}").contains(references.getFirst())));

    /// Some word in upper case equals the first reference, which therefore never matches if it has
    /// two words.
    public static final Metric LONGDIALOGUE_QA_ENG = new AllReferences(
            "longdialogue_qa_eng",
            (answer, references) -> hit(wordsWithout(answer, "\n:\"'.,?!{}").stream()
                    .anyMatch(word -> word.toUpperCase(Locale.ROOT).equals(references.getFirst()))));

    /// References: the right option and its letter. An answer that begins with any of A to D
    /// chooses that letter, even if it is the beginning of a word.
    public static final Metric LONGBOOK_CHOICE_ENG = new AllReferences("longbook_choice_eng", Choices::longbook);

    /// References: the function's name and its letter.
    public static final Metric CODE_DEBUG = new AllReferences("code_debug", Choices::codeDebug);

    public static final Metric LONGBOOK_QA_ENG = new BestReference("longbook_qa_eng", InfiniteBenchMetrics::englishF1);

    public static final Metric LONGBOOK_QA_CHN = new BestReference("longbook_qa_chn", InfiniteBenchMetrics::chineseF1);

    public static final Metric LONGBOOK_SUM_ENG = new BestReference("longbook_sum_eng", RougeLsum::f);

    /// The first number equals the reference. If the reference is a whole number, the fraction is
    /// cut off, as SCBench does; InfiniteBench's script stops with an error there.
    public static final Metric MATH_FIND = new AllReferences("math_find", InfiniteBenchMetrics::mathFind);

    /// Share of the references, in order, that the answer's numbers equal up to the first that
    /// differs. Signs are ignored.
    public static final Metric MATH_CALC =
            new AllReferences("math_calc", (answer, references) -> mathCalc(answer, references, 0));

    /// As [#MATH_CALC], without the answer's first number: the references begin after the first
    /// addition, and GPT-4 also wrote the first summand.
    public static final Metric MATH_CALC_GPT4 =
            new AllReferences("math_calc:gpt4", (answer, references) -> mathCalc(answer, references, 1));

    /// The last word equals the reference, a whole number.
    public static final Metric CODE_RUN = new AllReferences("code_run", InfiniteBenchMetrics::codeRun);

    private static final Pattern DIGITS = Pattern.compile("[0-9]+");
    private static final Pattern NUMBER = Pattern.compile("\\d+\\.\\d+|\\d+", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+(_[0-9]+)*");

    private InfiniteBenchMetrics() {}

    static double hit(boolean isRight) {
        return isRight ? 1 : 0;
    }

    /// Words of an answer in which the given characters count as spaces.
    static List<String> wordsWithout(String answer, String characters) {
        return PythonText.split(blanked(answer, characters));
    }

    static String blanked(String text, String characters) {
        StringBuilder blanked = new StringBuilder(text);
        for (int i = 0; i < blanked.length(); i++) {
            if (characters.indexOf(blanked.charAt(i)) >= 0) {
                blanked.setCharAt(i, ' ');
            }
        }
        return blanked.toString();
    }

    private static double englishF1(String answer, String reference) {
        return TokenF1.f1(
                PythonText.split(Normalization.answer(answer)), PythonText.split(Normalization.answer(reference)));
    }

    private static double chineseF1(String answer, String reference) {
        return TokenF1.f1(
                PythonText.characters(Normalization.chinese(answer)),
                PythonText.characters(Normalization.chinese(reference)));
    }

    private static double passkey(String answer, List<String> references) {
        Matcher first = DIGITS.matcher(answer);
        return hit(references.getFirst().equals(first.find() ? first.group() : ""));
    }

    private static double mathFind(String answer, List<String> references) {
        Matcher first = NUMBER.matcher(answer);
        if (!first.find()) {
            return 0;
        }
        double found = Double.parseDouble(ascii(first.group()));
        String reference = references.getFirst();
        boolean isWhole = WHOLE.matcher(reference).matches();
        return hit((isWhole ? Math.floor(found) : found) == Double.parseDouble(reference));
    }

    /// Converts digits of any script to ASCII digits, so that Java can parse the number.
    private static String ascii(String number) {
        StringBuilder digits = new StringBuilder();
        number.codePoints().forEach(c -> digits.append(c == '.' ? "." : Character.digit(c, 10)));
        return digits.toString();
    }

    private static double mathCalc(String answer, List<String> references, int skipped) {
        List<String> numbers = DIGITS.matcher(answer)
                .results()
                .skip(skipped)
                .map(number -> withoutZeros(number.group()))
                .toList();
        int right = 0;
        while (right < Math.min(references.size(), numbers.size())
                && numbers.get(right).equals(withoutZeros(references.get(right)))) {
            right++;
        }
        return (double) right / references.size();
    }

    private static String withoutZeros(String digits) {
        return digits.replaceFirst("^0+(?=.)", "");
    }

    private static double codeRun(String answer, List<String> references) {
        List<String> words = wordsWithout(PythonText.strip(answer), "\n.`'\":");
        if (words.isEmpty() || !WHOLE.matcher(words.getLast()).matches()) {
            return 0;
        }
        return hit(new BigInteger(words.getLast().replace("_", "")).equals(new BigInteger(references.getFirst())));
    }
}
