package io.shadowkv.eval.needle;

import java.util.List;
import java.util.stream.Collectors;

/// A needle-in-a-haystack task as RULER defines it (NVIDIA/RULER, `scripts/synthetic.yaml`, the
/// niah entries).
///
/// @param name RULER's name
/// @param haystack kind of text around the needles
/// @param keys form of the keys
/// @param values form of the values
/// @param keyCount number of keys hidden in the text
/// @param valuesPerKey values of each key, with one needle each
/// @param queryCount number of keys in the question
public record NeedleTask(
        String name,
        Haystack haystack,
        NeedleKind keys,
        NeedleKind values,
        int keyCount,
        int valuesPerKey,
        int queryCount) {
    /// RULER's eight tasks.
    public static final List<NeedleTask> ALL = List.of(
            task("niah_single_1", Haystack.REPEAT, NeedleKind.WORDS, NeedleKind.NUMBERS, 1, 1, 1),
            task("niah_single_2", Haystack.ESSAY, NeedleKind.WORDS, NeedleKind.NUMBERS, 1, 1, 1),
            task("niah_single_3", Haystack.ESSAY, NeedleKind.WORDS, NeedleKind.UUIDS, 1, 1, 1),
            task("niah_multikey_1", Haystack.ESSAY, NeedleKind.WORDS, NeedleKind.NUMBERS, 4, 1, 1),
            task("niah_multikey_2", Haystack.NEEDLES, NeedleKind.WORDS, NeedleKind.NUMBERS, 1, 1, 1),
            task("niah_multikey_3", Haystack.NEEDLES, NeedleKind.UUIDS, NeedleKind.UUIDS, 1, 1, 1),
            task("niah_multivalue", Haystack.ESSAY, NeedleKind.WORDS, NeedleKind.NUMBERS, 1, 4, 1),
            task("niah_multiquery", Haystack.ESSAY, NeedleKind.WORDS, NeedleKind.NUMBERS, 4, 1, 4));

    public NeedleTask {
        if (keyCount < 1 || valuesPerKey < 1 || queryCount < 1) {
            throw new IllegalArgumentException("task " + name + " has " + keyCount + " keys, " + valuesPerKey
                    + " values a key and asks for " + queryCount + "; expected 1 or more of each");
        }
        if (queryCount > keyCount) {
            throw new IllegalArgumentException("task " + name + " asks for " + queryCount + " keys but hides "
                    + keyCount + "; hide at least as many as are asked for");
        }
    }

    /// Returns the task with the given name.
    ///
    /// @throws IllegalArgumentException if there is none
    public static NeedleTask named(String name) {
        return ALL.stream()
                .filter(task -> task.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no task is named \"" + name + "\"; there are "
                        + ALL.stream().map(NeedleTask::name).collect(Collectors.joining(", "))));
    }

    /// The same task with additional hidden keys, for further questions about one text.
    NeedleTask withMoreKeys(int more) {
        return new NeedleTask(name, haystack, keys, values, keyCount + more, valuesPerKey, queryCount);
    }

    private static NeedleTask task(
            String name, Haystack haystack, NeedleKind keys, NeedleKind values, int keyCount, int perKey, int asked) {
        return new NeedleTask(name, haystack, keys, values, keyCount, perKey, asked);
    }
}
