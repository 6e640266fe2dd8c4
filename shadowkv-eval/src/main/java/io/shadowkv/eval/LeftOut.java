package io.shadowkv.eval;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A sample that a run was to ask but could not, such as a damaged row of a file.
///
/// @param task the task's name
/// @param contextTokens the requested length; 0 if the file determines it
/// @param index number of the sample
/// @param reason why it could not be asked
public record LeftOut(String task, int contextTokens, int index, String reason) {
    /// Maximum number of reasons in a sentence; the run file contains all of them.
    private static final int MOST_REASONS = 3;

    /// Returns a sentence for each task and length: how many samples are left out, and why.
    public static List<String> sentences(Collection<LeftOut> all) {
        record Place(String task, int contextTokens) {}
        Map<Place, List<LeftOut>> places = new LinkedHashMap<>();
        for (LeftOut one : all) {
            places.computeIfAbsent(new Place(one.task(), one.contextTokens()), _ -> new ArrayList<>())
                    .add(one);
        }
        List<String> sentences = new ArrayList<>();
        places.forEach((place, samples) -> sentences.add(sentence(place.task(), place.contextTokens(), samples)));
        return sentences;
    }

    private static String sentence(String task, int contextTokens, List<LeftOut> samples) {
        var sentence = new StringBuilder(task);
        if (contextTokens > 0) {
            sentence.append(String.format(" at %,d tokens", contextTokens));
        }
        sentence.append(
                samples.size() == 1 ? ": 1 sample is left out (" : ": " + samples.size() + " samples are left out (");
        for (int i = 0; i < Math.min(MOST_REASONS, samples.size()); i++) {
            LeftOut sample = samples.get(i);
            sentence.append(i == 0 ? "" : "; ")
                    .append("sample ")
                    .append(sample.index())
                    .append(": ")
                    .append(sample.reason());
        }
        int more = samples.size() - MOST_REASONS;
        return sentence.append(more > 0 ? "; and " + more + " more)." : ").").toString();
    }
}
