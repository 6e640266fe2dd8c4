package io.shadowkv.eval.metric;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.TreeMap;

/// jieba's 349,046 words and how often each is used.
///
/// The list comes with the library `jieba-analysis`, of which nothing else is used.
final class JiebaWords {
    private final String[] words;
    private final int[] frequencies;
    private final double logTotal;

    private JiebaWords(SortedMap<String, Integer> frequencyOf, long total) {
        words = frequencyOf.keySet().toArray(String[]::new);
        frequencies = frequencyOf.values().stream().mapToInt(Integer::intValue).toArray();
        logTotal = Math.log(total);
    }

    static JiebaWords load() {
        SortedMap<String, Integer> frequencyOf = new TreeMap<>();
        // The one word of jieba 0.42.1 that the library's copy of the list has lost.
        frequencyOf.put("吉林", 89);
        long total = 89;
        try (BufferedReader lines = resource("dict.txt")) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int end = line.indexOf(' ');
                int next = line.indexOf(' ', end + 1);
                int frequency = Integer.parseInt(line, end + 1, next, 10);
                frequencyOf.put(line.substring(0, end), frequency);
                total += frequency;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new JiebaWords(frequencyOf, total);
    }

    /// A file of the library. It has no module name to require, only one made of its file's name; on the
    /// module path it is there because DJL's is, for one such library brings all.
    static BufferedReader resource(String name) {
        InputStream bytes = JiebaWords.class.getClassLoader().getResourceAsStream(name);
        if (bytes == null) {
            throw new IllegalStateException("the library jieba-analysis with jieba's " + name
                    + " is on neither class nor module path; Chinese answers cannot be cut into words without it");
        }
        return new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8));
    }

    boolean isWord(String text) {
        return Arrays.binarySearch(words, text) >= 0;
    }

    /// Whether any word begins with the text, which may be one itself.
    boolean isBeginning(String text) {
        int at = Arrays.binarySearch(words, text);
        return at >= 0 || -at - 1 < words.length && words[-at - 1].startsWith(text);
    }

    /// Logarithm of the share of the word among all words used; what is no word counts as used once.
    double logShare(String word) {
        int at = Arrays.binarySearch(words, word);
        return Math.log(at >= 0 ? frequencies[at] : 1) - logTotal;
    }
}
