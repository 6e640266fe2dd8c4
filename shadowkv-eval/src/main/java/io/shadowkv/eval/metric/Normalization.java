package io.shadowkv.eval.metric;

import java.util.Set;
import java.util.stream.Collectors;

/// Normalises answers before comparison (THUDM/LongBench, `LongBench/metrics.py`;
/// bytedance/ShadowKV, `data/metrics.py`, has the first rule too; both are from SQuAD).
public final class Normalization {
    private static final Set<String> ARTICLES = Set.of("a", "an", "the");

    private static final Set<Integer> CHINESE_PUNCTUATION = ("！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～"
                    + "｟｠｢｣､、〃》「」『』【】〔〕〖〗〘〙〚〛〜〝〞〟〰〾〿–—‘’‛“”„‟…‧﹏.")
            .codePoints()
            .boxed()
            .collect(Collectors.toUnmodifiableSet());

    private Normalization() {}

    /// `normalize_answer`: lower case, without ASCII punctuation, then without the words a, an,
    /// the; consecutive whitespace becomes one space.
    public static String answer(String text) {
        String plain = PythonText.without(PythonText.lower(text), PythonText::isPunctuation);
        return String.join(" ", PythonText.split(withoutArticles(plain)));
    }

    /// `normalize_zh_answer`: lower case, without ASCII or Chinese punctuation and without
    /// whitespace.
    public static String chinese(String text) {
        return PythonText.without(
                PythonText.lower(text),
                c -> PythonText.isPunctuation(c) || CHINESE_PUNCTUATION.contains(c) || PythonText.isBlank(c));
    }

    /// An article is a whole run of word characters; other characters next to it do not matter.
    private static String withoutArticles(String text) {
        StringBuilder result = new StringBuilder(text.length());
        int copied = 0;
        int i = 0;
        while (i < text.length()) {
            int end = i;
            while (end < text.length() && PythonText.isWordCharacter(text.codePointAt(end))) {
                end += Character.charCount(text.codePointAt(end));
            }
            if (ARTICLES.contains(text.substring(i, end))) {
                result.append(text, copied, i).append(' ');
                copied = end;
            }
            i = end == i ? i + Character.charCount(text.codePointAt(i)) : end;
        }
        return result.append(text, copied, text.length()).toString();
    }
}
