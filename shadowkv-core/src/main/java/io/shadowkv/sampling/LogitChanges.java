package io.shadowkv.sampling;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Changes of one sequence's logits before a token is drawn: penalties, logit bias and bans. Holds
/// one entry per id that is changed, in the order in which the ids became entries.
///
/// ```
/// l = l > 0 ? l / penalty : l · penalty
/// l = l + addend
/// ```
///
/// Both steps are rounded to float, as `SamplingOperations.adjustLogits` does on every backend, so
/// logits that are changed here and logits that are changed on a device have the same bits. Not
/// thread-safe.
public final class LogitChanges {
    private final SamplingOptions options;
    private final float repetitionPenalty;
    private final Map<Integer, Integer> entryOf = new HashMap<>();
    private int[] ids = new int[16];
    private boolean[] isRepeated = new boolean[16];
    private int[] generatedCounts = new int[16];
    private int size;
    private Set<Integer> banned = Set.of();

    /// @param prompt ids that the repetition penalty applies to; the first `promptLength` are valid
    public LogitChanges(SamplingOptions options, int[] prompt, int promptLength) {
        this.options = options;
        this.repetitionPenalty = (float) options.repetitionPenalty();
        options.logitBias().keySet().stream().sorted().forEach(this::entry);
        if (options.repetitionPenalty() != 1) {
            for (int i = 0; i < promptLength; i++) {
                int entry = entry(prompt[i]);
                isRepeated[entry] = true;
            }
        }
    }

    /// Notes that a token was generated.
    public void add(int id) {
        if (options.repetitionPenalty() != 1 || options.countsGenerated()) {
            int entry = entry(id);
            isRepeated[entry] = true;
            generatedCounts[entry]++;
        }
    }

    /// Bans these ids, in place of those banned before; none lifts the ban. A ban has the effect of
    /// an addend of -infinity.
    public void ban(Collection<Integer> bannedIds) {
        banned = Set.copyOf(bannedIds);
        banned.stream().sorted().forEach(this::entry);
    }

    private int entry(int id) {
        Integer known = entryOf.putIfAbsent(id, size);
        if (known != null) {
            return known;
        }
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, 2 * size);
            isRepeated = Arrays.copyOf(isRepeated, 2 * size);
            generatedCounts = Arrays.copyOf(generatedCounts, 2 * size);
        }
        ids[size] = id;
        return size++;
    }

    /// Number of entries. Grows when a token is generated or banned for the first time.
    public int size() {
        return size;
    }

    /// Ids of the entries.
    public List<Integer> ids() {
        return Arrays.stream(ids, 0, size).boxed().toList();
    }

    /// Factor of entry `i`: 1 if its id has not occurred.
    public float penalty(int i) {
        return isRepeated[i] ? repetitionPenalty : 1;
    }

    /// What is added to the logit of entry `i`.
    public float addend(int i) {
        if (banned.contains(ids[i])) {
            return Float.NEGATIVE_INFINITY;
        }
        double addend = options.logitBias().getOrDefault(ids[i], 0.0);
        if (generatedCounts[i] > 0) {
            addend -= options.presencePenalty() + options.frequencyPenalty() * generatedCounts[i];
        }
        return (float) addend;
    }

    /// Writes entries `from` to `from + count` (exclusive) as `SamplingOperations.adjustLogits` takes
    /// them.
    ///
    /// @param row row of this sequence's logits
    /// @param places row and id of each entry
    /// @param changes penalty and addend of each entry
    /// @param at first entry of `places` and `changes` that is written
    public void write(int from, int count, int row, int[] places, float[] changes, int at) {
        java.util.Objects.checkFromIndexSize(from, count, size);
        for (int i = 0; i < count; i++) {
            places[2 * (at + i)] = row;
            places[2 * (at + i) + 1] = ids[from + i];
            changes[2 * (at + i)] = penalty(from + i);
            changes[2 * (at + i) + 1] = addend(from + i);
        }
    }

    /// Changes a row of logits on the host.
    ///
    /// @throws IllegalArgumentException if an id is outside the vocabulary
    public void apply(float[] logits) {
        for (int i = 0; i < size; i++) {
            if (ids[i] < 0 || ids[i] >= logits.length) {
                throw new IllegalArgumentException("token id " + ids[i] + " is outside the vocabulary of "
                        + logits.length + " tokens. Correct the logit bias");
            }
            float logit = logits[ids[i]];
            float penalized = logit > 0 ? logit / penalty(i) : logit * penalty(i);
            logits[ids[i]] = penalized + addend(i);
        }
    }
}
