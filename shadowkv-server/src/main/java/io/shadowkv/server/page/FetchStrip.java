package io.shadowkv.server.page;

import io.shadowkv.cache.LayerFetches;
import io.shadowkv.engine.SequenceFetches;
import io.shadowkv.server.json.JsonBody;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A picture of which parts of a sequence its layers fetched in some steps: a row for each layer, a
/// column for each part of the sequence.
final class FetchStrip {
    private static final int COLUMNS = 200;
    private static final int LEVELS = 15;

    private FetchStrip() {}

    /// The steps of the sequence that began last.
    ///
    /// @param steps at least one, of any sequences
    static List<SequenceFetches> newest(List<SequenceFetches> steps) {
        long number = steps.stream()
                .mapToLong(SequenceFetches::sequence)
                .max()
                .orElseThrow(() -> new IllegalArgumentException("there are no steps"));
        return steps.stream().filter(step -> step.sequence() == number).toList();
    }

    /// @param steps of one sequence, at least one
    static ObjectNode of(List<SequenceFetches> steps) {
        SequenceFetches last = steps.getLast();
        ObjectNode strip = JsonBody.object();
        strip.put("sequence", last.sequence());
        strip.put("tokens", last.tokens());
        strip.put("steps", steps.size());
        ArrayNode rows = strip.putArray("layers");
        for (int layer = 0; layer < last.layers().size(); layer++) {
            rows.add(row(steps, layer, last.tokens()));
        }
        return strip;
    }

    /// A hexadecimal digit for each column: 0 if nothing of it was fetched, 15 if all heads fetched all
    /// of it in every step. Small shares are raised, so that they can be seen.
    private static String row(List<SequenceFetches> steps, int layer, int tokens) {
        int[] fetched = new int[COLUMNS];
        double units = 0;
        for (SequenceFetches step : steps) {
            if (layer < step.layers().size()) {
                LayerFetches fetches = step.layers().get(layer);
                units += fetches.latest().length * (double) tokens / fetches.unitTokens() / COLUMNS;
                count(fetches, tokens, fetched);
            }
        }
        StringBuilder row = new StringBuilder(COLUMNS);
        for (int count : fetched) {
            double share = count / Math.max(units, 1);
            int level = count == 0 ? 0 : Math.clamp(Math.round(LEVELS * Math.sqrt(share)), 1, LEVELS);
            row.append(Character.forDigit(level, LEVELS + 1));
        }
        return row.toString();
    }

    private static void count(LayerFetches fetches, int tokens, int[] fetched) {
        for (int[] head : fetches.latest()) {
            for (int unit : head) {
                long column = (long) unit * fetches.unitTokens() * COLUMNS / tokens;
                fetched[(int) Math.min(column, COLUMNS - 1)]++;
            }
        }
    }
}
