package io.shadowkv.cache.prefill;

import io.shadowkv.cache.prefill.HeadPatterns.Kind;
import io.shadowkv.cache.prefill.HeadPatterns.Pattern;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What the candidates of a search for patterns keep of attention, for each query head of a model: sums
/// over sampled rows of texts that were read exactly (MInference, arXiv 2407.02490, section 3.2: the
/// kinds of patterns are compared at the same cost, as the kernels compute them).
///
/// Not thread-safe, except that the heads of a layer may be added to at the same time.
public final class PatternTrials {
    private static final int[] COLUMNS = {30, 100, 250, 500, 1000, 2000, 3500};
    private static final int[] DISTANCES = {50, 100, 200, 400, 700, 800, 1500, 3000, 4096, 6096};
    private static final int[] FIRST_KEYS = {64, 100, 512};
    private static final int[] NEAREST_KEYS = {256, 512, 800, 1024, 2048, 4096};

    private final Sums sums;

    /// The sums, to keep a search in a file.
    ///
    /// @param candidates the patterns that are compared
    /// @param rows for each layer, number of sampled rows
    /// @param mass sums of the shares of attention's weights, `[layers, heads, candidates]`
    /// @param keys sums of the numbers of keys that rows read, `[layers, heads, candidates]`
    public record Sums(int layers, int heads, List<Pattern> candidates, long[] rows, double[] mass, double[] keys) {
        public Sums {
            candidates = List.copyOf(candidates);
            long elements = (long) layers * heads * candidates.size();
            if (elements == 0 || rows.length != layers || mass.length != elements || keys.length != elements) {
                throw new IllegalArgumentException("sums of a search of " + layers + " layers, " + heads + " heads and "
                        + candidates.size() + " candidates: there are " + rows.length + " numbers of rows, "
                        + mass.length + " and " + keys.length + " sums; expected " + layers + " and twice " + elements);
            }
        }
    }

    /// The pattern of one head.
    ///
    /// @param mass mean share of attention's weights that rows read with it
    /// @param keys mean number of keys that rows read with it
    public record Choice(Pattern pattern, double mass, double keys) {}

    public PatternTrials(Sums sums) {
        this.sums = sums;
    }

    /// Trials of the usual candidates, nothing measured yet.
    ///
    /// @param tokens tokens of a text; candidates with more columns or distances are left out
    public static PatternTrials of(int layers, int heads, int tokens) {
        List<Pattern> candidates = candidates(tokens);
        int elements = Math.multiplyExact(Math.multiplyExact(layers, heads), candidates.size());
        return new PatternTrials(
                new Sums(layers, heads, candidates, new long[layers], new double[elements], new double[elements]));
    }

    private static List<Pattern> candidates(int tokens) {
        List<Pattern> candidates = new ArrayList<>();
        for (int columns : upTo(tokens, COLUMNS)) {
            for (int distances : upTo(tokens, DISTANCES)) {
                candidates.add(new Pattern(Kind.VERTICAL_AND_SLASH, columns, distances));
            }
        }
        for (int first : upTo(tokens, FIRST_KEYS)) {
            for (int nearest : upTo(tokens, NEAREST_KEYS)) {
                candidates.add(new Pattern(Kind.STREAM_LLM, first, nearest));
            }
        }
        // The kernel reads a fixed number of blocks; the numbers of a file are not used.
        candidates.add(new Pattern(Kind.BLOCK_SPARSE, 1000, 6096));
        return candidates;
    }

    private static int[] upTo(int tokens, int[] numbers) {
        return Arrays.stream(numbers).filter(n -> n < tokens).toArray();
    }

    public Sums sums() {
        return sums;
    }

    List<Pattern> candidates() {
        return sums.candidates;
    }

    void addRow(int layer) {
        sums.rows[layer]++;
    }

    /// Adds one row of one head.
    void add(int layer, int head, int candidate, double mass, long keys) {
        int at = at(layer, head) + candidate;
        sums.mass[at] += mass;
        sums.keys[at] += keys;
    }

    private int at(int layer, int head) {
        return (layer * sums.heads + head) * sums.candidates.size();
    }

    /// For each layer and head the candidate that keeps most, among those that read at most that many keys
    /// on average. Of equals, the one that reads fewer keys.
    ///
    /// @throws IllegalArgumentException if no candidate of some head reads that few
    public List<List<Choice>> choose(int mostKeys) {
        return IntStream.range(0, sums.layers)
                .mapToObj(layer -> IntStream.range(0, sums.heads)
                        .mapToObj(head -> choose(layer, head, mostKeys))
                        .toList())
                .toList();
    }

    private Choice choose(int layer, int head, int mostKeys) {
        Choice best = null;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < sums.candidates.size(); i++) {
            int at = at(layer, head) + i;
            long rows = sums.rows[layer];
            var choice = new Choice(sums.candidates.get(i), Math.min(1, sums.mass[at] / rows), sums.keys[at] / rows);
            least = Math.min(least, choice.keys);
            boolean isBetter =
                    best == null || choice.mass > best.mass || choice.mass == best.mass && choice.keys < best.keys;
            if (choice.keys <= mostKeys && isBetter) {
                best = choice;
            }
        }
        if (best == null) {
            throw new IllegalArgumentException(
                    ("a row may read %,d keys, but in layer %d, head %d, the candidate that reads least reads %,.0f on"
                                    + " average. Allow at least that many")
                            .formatted(mostKeys, layer, head, least));
        }
        return best;
    }

    /// A pattern file as MInference publishes it. The score of a head is its [Choice#mass].
    public static String file(List<List<Choice>> choices) {
        ArrayNode layers = JsonMapper.shared().createArrayNode();
        for (List<Choice> heads : choices) {
            ObjectNode layer = layers.addObject();
            for (int head = 0; head < heads.size(); head++) {
                Choice choice = heads.get(head);
                layer.putArray(String.valueOf(head))
                        .add(choice.pattern.kind().spelling())
                        .add(choice.pattern.vertical())
                        .add(choice.pattern.slash())
                        .add(Math.round(choice.mass * 1e5) / 1e5);
            }
        }
        return layers + "\n";
    }
}
