package io.shadowkv.cli.minference;

import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.PatternTrials.Choice;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The choices for the terminal: a row per layer.
final class SearchTable {
    private SearchTable() {}

    static void print(String model, int texts, int tokens, int mostKeys, List<List<Choice>> choices, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s: patterns of %d layers with %d heads, from %d texts of %,d tokens, at most %,d keys a row%n%n",
                model,
                choices.size(),
                choices.getFirst().size(),
                texts,
                tokens,
                mostKeys);
        out.printf("layer  kept mass  least head  keys a row  kinds%n");
        for (int layer = 0; layer < choices.size(); layer++) {
            List<Choice> heads = choices.get(layer);
            out.printf(
                    Locale.ROOT,
                    "%5d  %8.1f%%  %9.1f%%  %,10.0f  %s%n",
                    layer,
                    100 * heads.stream().mapToDouble(Choice::mass).average().orElseThrow(),
                    100 * heads.stream().mapToDouble(Choice::mass).min().orElseThrow(),
                    heads.stream().mapToDouble(Choice::keys).average().orElseThrow(),
                    kinds(heads));
        }
    }

    private static String kinds(List<Choice> heads) {
        List<String> kinds = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            long count =
                    heads.stream().filter(head -> head.pattern().kind() == kind).count();
            if (count > 0) {
                kinds.add(count + " " + kind.name().toLowerCase(Locale.ROOT));
            }
        }
        return String.join(", ", kinds);
    }
}
