package io.shadowkv.eval.infinitebench;

import io.shadowkv.eval.PythonText;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// F1 of an answer's words against a reference's (OpenBMB/InfiniteBench, `src/compute_scores.py`: `qa_f1_score`,
/// `qa_f1_score_zh`).
final class TokenF1 {
    private static final String ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    private static final String CHINESE_PUNCTUATION =
            "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.";
    // Python's word boundary: letters, numbers and the underscore are words, marks are not.
    private static final Pattern ARTICLE = Pattern.compile("(?<![\\p{L}\\p{N}_])(?:a|an|the)(?![\\p{L}\\p{N}_])");

    private TokenF1() {}

    /// Words without articles and punctuation.
    static double english(String answer, String reference) {
        return f1(words(answer), words(reference));
    }

    /// Characters without blanks and punctuation.
    static double chinese(String answer, String reference) {
        return f1(characters(answer), characters(reference));
    }

    private static List<String> words(String text) {
        String plain = without(text.toLowerCase(Locale.ROOT), ASCII_PUNCTUATION);
        return PythonText.split(ARTICLE.matcher(plain).replaceAll(" "));
    }

    private static List<String> characters(String text) {
        String plain = without(text.toLowerCase(Locale.ROOT), ASCII_PUNCTUATION + CHINESE_PUNCTUATION);
        return String.join("", PythonText.split(plain))
                .codePoints()
                .mapToObj(Character::toString)
                .toList();
    }

    private static String without(String text, String characters) {
        StringBuilder left = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            if (characters.indexOf(text.charAt(i)) < 0) {
                left.append(text.charAt(i));
            }
        }
        return left.toString();
    }

    private static double f1(List<String> answer, List<String> reference) {
        Map<String, Integer> left = new HashMap<>();
        reference.forEach(token -> left.merge(token, 1, Integer::sum));
        int same = 0;
        for (String token : answer) {
            Integer count = left.get(token);
            if (count != null && count > 0) {
                left.put(token, count - 1);
                same++;
            }
        }
        if (same == 0) {
            return 0;
        }
        double precision = (double) same / answer.size();
        double recall = (double) same / reference.size();
        return 2 * precision * recall / (precision + recall);
    }
}
