package io.shadowkv.eval.needle;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;

/// The words that keys are made of.
public record WordList(List<String> words) {
    public WordList {
        if (words.isEmpty()) {
            throw new IllegalArgumentException("the word list is empty; keys need at least one word");
        }
        words = List.copyOf(words);
    }

    /// 6,000 English words. The bundled model was trained to read keys made of them.
    public static WordList bundled() {
        try (InputStream bytes = Objects.requireNonNull(WordList.class.getResourceAsStream("words.txt"));
                var lines = new BufferedReader(new InputStreamReader(bytes, StandardCharsets.UTF_8))) {
            return new WordList(lines.lines().filter(line -> !line.isBlank()).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String draw(RandomGenerator random) {
        return words.get(random.nextInt(words.size()));
    }
}
