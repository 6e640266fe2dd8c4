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

/// jieba's 349,046 words with their frequencies.
///
/// The list is a resource of the library `jieba-analysis`; nothing else of that library is used.
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
        // The only word of jieba 0.42.1 that is missing in the library's copy of the list.
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

    /// Opens a resource of the library. The library has only an automatic module name, which a
    /// module cannot require reliably. On the module path it is resolved because DJL's automatic
    /// module is: one automatic module resolves all of them.
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

    /// True if any word begins with the text; the text itself may be a word.
    boolean isBeginning(String text) {
        int at = Arrays.binarySearch(words, text);
        return at >= 0 || -at - 1 < words.length && words[-at - 1].startsWith(text);
    }

    /// Logarithm of the word's share of all occurrences; an unknown word counts as one occurrence.
    double logShare(String word) {
        int at = Arrays.binarySearch(words, word);
        return Math.log(at >= 0 ? frequencies[at] : 1) - logTotal;
    }
}
