package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.text.RunningText;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Running text counted in words as in RULER: any whitespace separates words like one space, and
/// whitespace at an end makes an empty word there.
public final class Essay {
    // Whitespace as Python defines it.
    private static final Pattern BLANKS = Pattern.compile("[\\s\\x1c-\\x1f]+", Pattern.UNICODE_CHARACTER_CLASS);

    private final String text;
    private final int[] ends;

    public Essay(String source) {
        text = BLANKS.matcher(source).replaceAll(" ");
        ends = text.chars().filter(c -> c == ' ').count() == 0 ? new int[] {text.length()} : ends(text);
    }

    private static int[] ends(String text) {
        List<Integer> ends = new ArrayList<>();
        for (int blank = text.indexOf(' '); blank >= 0; blank = text.indexOf(' ', blank + 1)) {
            ends.add(blank);
        }
        ends.add(text.length());
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }

    public int words() {
        return ends.length;
    }

    /// The first words, split into sentences; beyond the end either the text is repeated, or
    /// nothing is added.
    public List<String> sentences(int words, boolean isRepeated) {
        var taken = new StringBuilder();
        int left = isRepeated ? words : Math.min(words, ends.length);
        while (left > 0) {
            int count = Math.min(left, ends.length);
            taken.append(taken.isEmpty() ? "" : " ").append(text, 0, ends[count - 1]);
            left -= count;
        }
        return RunningText.of(taken.toString()).sentences();
    }
}
