package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.TaskContext;
import io.shadowkv.eval.needle.RandomDraws;
import io.shadowkv.eval.needle.WordList;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Words for keys and for the word-counting tasks.
///
/// @param first words before a key's hyphen: the original's adjectives
/// @param second words after it: the original's nouns
/// @param all distinct words for counting, sorted
public record RulerWords(List<String> first, List<String> second, List<String> all) {
    /// The user's own lists: `{"adjectivelist.txt": […], "nounlist.txt": […], "verblist.txt":
    /// […]}`.
    static final String FILE = "wordlists.json";

    /// The lists of the data folder's `ruler/wordlists.json` if it exists, otherwise the bundled
    /// words for every purpose: the license of the original's lists does not allow this project to
    /// include them.
    ///
    /// @throws IllegalArgumentException if the file exists but lacks a list
    public static RulerWords of(TaskContext context) {
        Path file = context.options().dataFolder().resolve("ruler").resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return of(WordList.bundled().words());
        }
        try (InputStream bytes = Files.newInputStream(file)) {
            return of(file, JsonMapper.shared().readTree(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(file + ": is not JSON (" + e.getOriginalMessage() + ")", e);
        }
    }

    private static RulerWords of(List<String> words) {
        return new RulerWords(words, words, List.copyOf(new TreeSet<>(words)));
    }

    private static RulerWords of(Path file, JsonNode lists) {
        List<String> nouns = list(file, lists, "nounlist.txt");
        List<String> adjectives = list(file, lists, "adjectivelist.txt");
        var all = new TreeSet<>(nouns);
        all.addAll(adjectives);
        all.addAll(list(file, lists, "verblist.txt"));
        return new RulerWords(adjectives, nouns, List.copyOf(all));
    }

    private static List<String> list(Path file, JsonNode lists, String name) {
        List<String> words = new ArrayList<>();
        lists.path(name).forEach(word -> words.add(word.asString()));
        if (words.isEmpty()) {
            throw new IllegalArgumentException(file + ": has no words under \"" + name
                    + "\"; expected lists under nounlist.txt, adjectivelist.txt and verblist.txt. Add them, or remove the"
                    + " file to use the bundled words");
        }
        return words;
    }

    /// Two words joined by a hyphen.
    String key(SplittableRandom random) {
        return first.get(random.nextInt(first.size())) + "-" + second.get(random.nextInt(second.size()));
    }

    /// Distinct words in random order. If the lists have too few, all of them, and pairs in
    /// addition: the original has a second, longer list for that, which is not included.
    public List<String> different(int count, SplittableRandom random) {
        if (count <= all.size()) {
            return RandomDraws.sample(all, count, random);
        }
        Set<String> words = new LinkedHashSet<>(all);
        while (words.size() < count) {
            words.add(key(random));
        }
        return RandomDraws.sample(List.copyOf(words), count, random);
    }
}
