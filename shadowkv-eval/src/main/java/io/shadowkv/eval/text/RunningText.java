package io.shadowkv.eval.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// A long text as a sequence of sentences that repeats without end.
public record RunningText(List<String> sentences) {
    private static final Pattern BLANKS = Pattern.compile("\\s+");
    private static final Pattern SENTENCE_END = Pattern.compile("(?<=[.!?]) ");

    public RunningText {
        if (sentences.isEmpty()) {
            throw new IllegalArgumentException("the text has no sentences; a haystack needs at least one");
        }
        sentences = List.copyOf(sentences);
    }

    /// Splits a text after full stops, exclamation and question marks; runs of whitespace become
    /// one space.
    public static RunningText of(String text) {
        String line = BLANKS.matcher(text).replaceAll(" ").strip();
        return new RunningText(
                SENTENCE_END.splitAsStream(line).filter(s -> !s.isEmpty()).toList());
    }

    /// The King James Bible, 4.1 MB, in the public domain.
    public static RunningText kingJames() {
        try (InputStream bytes = Objects.requireNonNull(RunningText.class.getResourceAsStream("king-james.txt.gz"));
                var text = new GZIPInputStream(bytes)) {
            return of(new String(text.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Returns the sentence with the given number; after the last sentence the first follows.
    public String sentence(int index) {
        return sentences.get(index % sentences.size());
    }
}
