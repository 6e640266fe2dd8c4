package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.NeedlePrompts;
import io.shadowkv.eval.needle.RandomDraws;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A chain of assignments, each of which refers to the previous variable, between filler lines.
///
/// @param names names of the variables, in order
/// @param value value of all of them
/// @param lines number of filler lines
/// @param places number of lines before each assignment, ascending
record VtChain(List<String> names, String value, int lines, List<Integer> places) {
    /// Number of variables in a chain: four hops.
    static final int NAMES = 5;

    /// Draws a chain.
    ///
    /// @param letters length of each name
    static VtChain draw(int letters, int lines, SplittableRandom random) {
        List<String> names = RandomDraws.distinct(NAMES, () -> name(letters, random));
        String value = Integer.toString(random.nextInt(10_000, 99_999));
        List<Integer> places = new ArrayList<>();
        for (int place : RandomDraws.distinctNumbers(lines, NAMES, random)) {
            places.add(place);
        }
        return new VtChain(names, value, lines, places);
    }

    private static String name(int letters, SplittableRandom random) {
        var name = new StringBuilder();
        while (name.length() < letters) {
            name.append((char) ('A' + random.nextInt(26)));
        }
        // A variable named VAR would make the assignments ambiguous.
        return name.toString().equals("VAR") ? name(letters, random) : name.toString();
    }

    VtChain renamed(List<String> otherNames, String otherValue) {
        return new VtChain(otherNames, otherValue, lines, places);
    }

    /// Fills a template with the lines and the value.
    ///
    /// @param isNvidia joins lines by line breaks; the older version ends each filler line with one
    ///     and joins by spaces
    String fill(String template, boolean isNvidia) {
        return template.replace(RulerPrompts.QUERY, value).replace(RulerPrompts.CONTEXT, context(isNvidia));
    }

    private String context(boolean isNvidia) {
        String noise = NeedlePrompts.NOISE + (isNvidia ? "" : "\n");
        List<String> pieces = new ArrayList<>(lines + NAMES);
        int next = 0;
        for (int line = 0; line < lines; line++) {
            if (next < NAMES && places.get(next) == line) {
                pieces.add(assignment(next++));
            }
            pieces.add(noise);
        }
        return String.join(isNvidia ? "\n" : " ", pieces).replace(". \n", ".\n");
    }

    private String assignment(int number) {
        return number == 0
                ? "VAR " + names.getFirst() + " = " + value
                : "VAR " + names.get(number) + " = VAR " + names.get(number - 1) + " ";
    }

    String prefix(RulerVersion version) {
        return RulerPrompts.vtAnswer(version, NAMES, value);
    }
}
