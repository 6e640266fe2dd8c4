package io.shadowkv.eval.needle;

import io.shadowkv.eval.text.RunningText;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/// The filler text of one sample: an unlimited sequence of units (sentences or lines), and the
/// positions of needles between them. The first units do not depend on how many are requested.
final class NeedleFiller {
    /// RULER's depths: 40 values spread evenly over 0 to 100 %, rounded to whole percent.
    private static final int DEPTHS = 40;

    private final NeedleTask task;
    private final RunningText text;
    private final WordList words;
    private final SplittableRandom random;
    private final Set<String> usedKeys;
    private final List<NeedleText.Needle> others = new ArrayList<>();

    NeedleFiller(NeedleTask task, RunningText text, WordList words, long seed, List<String> plantedKeys) {
        this.task = task;
        this.text = text;
        this.words = words;
        random = new SplittableRandom(seed);
        usedKeys = new HashSet<>(plantedKeys);
    }

    String separator() {
        return task.haystack() == Haystack.ESSAY ? " " : "\n";
    }

    String unit(int index) {
        return switch (task.haystack()) {
            case REPEAT -> NeedlePrompts.NOISE;
            case ESSAY -> text.sentence(index);
            case NEEDLES -> other(index).sentence();
        };
    }

    /// A filler needle, for a haystack of needles. Their keys are distinct.
    NeedleText.Needle other(int index) {
        while (others.size() <= index) {
            String key = task.keys().draw(random, words);
            if (usedKeys.add(key)) {
                String value = task.values().draw(random, words);
                others.add(NeedleText.Needle.of(task.values(), key, value));
            }
        }
        return others.get(index);
    }

    /// Number of units before each needle, ascending and distinct. In running text they are at
    /// whole percentages of the text; in other fillers needles may be on any line.
    ///
    /// @throws IllegalArgumentException if there are more needles than depths
    int[] positions(int units, int needles, SplittableRandom places) {
        if (task.haystack() != Haystack.ESSAY) {
            return RandomDraws.distinctNumbers(units, needles, places);
        }
        if (needles > DEPTHS) {
            throw new IllegalArgumentException("task " + task.name() + " hides " + needles
                    + " needles; running text has " + DEPTHS + " depths. Use fewer further questions");
        }
        int[] positions = RandomDraws.distinctNumbers(DEPTHS, needles, places);
        for (int i = 0; i < needles; i++) {
            long percent = Math.round(100.0 * positions[i] / (DEPTHS - 1));
            positions[i] = (int) (units * percent / 100);
        }
        return positions;
    }
}
