package io.shadowkv.eval.needle;

import io.shadowkv.eval.Sample;
import io.shadowkv.eval.metric.RulerMetrics;
import io.shadowkv.eval.text.RunningText;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// The needles and questions of a sample, independent of its length.
///
/// @param task the task, with an additional key for each further question about a planted needle
/// @param filler the filler
/// @param planted needles in the order of the text
/// @param asked key numbers of each question about planted needles
/// @param fillerQuestions number of further questions about the needles of the filler
/// @param placeSeed seed for the needles' positions
record NeedleLayout(
        NeedleTask task,
        NeedleFiller filler,
        List<Planted> planted,
        List<List<Integer>> asked,
        int fillerQuestions,
        long placeSeed) {
    /// A needle and the number of its key.
    record Planted(int keyNumber, NeedleText.Needle needle) {}

    /// A text of a given size with its questions.
    ///
    /// @param turns the questions about the text
    /// @param needles the needles that are hidden or asked for, with their depths
    record Filled(List<Sample.Turn> turns, List<NeedleText.Needle> needles) {}

    static NeedleLayout of(
            NeedleTask named, long seed, int index, int furtherQuestions, RunningText text, WordList words) {
        var random = RandomDraws.random(seed, named.name(), index);
        boolean asksFiller = named.haystack() == Haystack.NEEDLES;
        NeedleTask task = asksFiller ? named : named.withMoreKeys(furtherQuestions);
        List<String> keys =
                RandomDraws.distinct(task.keyCount(), () -> task.keys().draw(random, words));
        List<String> values = RandomDraws.distinct(
                task.keyCount() * task.valuesPerKey(), () -> task.values().draw(random, words));
        List<Planted> planted = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            int key = i / task.valuesPerKey();
            planted.add(new Planted(key, NeedleText.Needle.of(task.values(), keys.get(key), values.get(i))));
        }
        RandomDraws.shuffle(planted, random);
        List<Integer> order = new ArrayList<>();
        for (int key = 0; key < task.keyCount(); key++) {
            order.add(key);
        }
        RandomDraws.shuffle(order, random);
        List<List<Integer>> asked = new ArrayList<>(List.of(order.subList(0, task.queryCount())));
        for (int i = 0; i < furtherQuestions && !asksFiller; i++) {
            asked.add(List.of(order.get(task.queryCount() + i)));
        }
        NeedleFiller filler = new NeedleFiller(task, text, words, random.nextLong(), keys);
        return new NeedleLayout(task, filler, planted, asked, asksFiller ? furtherQuestions : 0, random.nextLong());
    }

    /// Minimum number of filler units for the needles' positions and for the questions.
    int leastUnits() {
        return planted.size() + fillerQuestions;
    }

    /// Makes the text with the given number of filler units, and its questions.
    Filled fill(int units) {
        var places = new SplittableRandom(placeSeed);
        int[] positions = filler.positions(units, planted.size(), places);
        List<NeedleText.Needle> needles = new ArrayList<>();
        for (int i = 0; i < positions.length; i++) {
            needles.add(planted.get(i).needle().atDepth((double) positions[i] / units));
        }
        String context = context(units, positions);
        List<Sample.Turn> turns = new ArrayList<>();
        for (List<Integer> keys : asked) {
            turns.add(turn(needlesOf(keys), turns.isEmpty() ? context : null));
        }
        for (int line : RandomDraws.distinctNumbers(units, fillerQuestions, places)) {
            NeedleText.Needle other = filler.other(line).atDepth((double) line / units);
            needles.add(other);
            turns.add(turn(List.of(other), null));
        }
        return new Filled(turns, needles);
    }

    private String context(int units, int[] positions) {
        List<String> pieces = new ArrayList<>(units + positions.length);
        int next = 0;
        for (int unit = 0; unit <= units; unit++) {
            while (next < positions.length && positions[next] == unit) {
                pieces.add(planted.get(next++).needle().sentence());
            }
            if (unit < units) {
                pieces.add(filler.unit(unit));
            }
        }
        return String.join(filler.separator(), pieces);
    }

    /// Needles of the keys in the order of the question; several needles of one key in the order of
    /// the text.
    private List<NeedleText.Needle> needlesOf(List<Integer> keys) {
        return keys.stream()
                .flatMap(key -> planted.stream().filter(needle -> needle.keyNumber() == key))
                .map(Planted::needle)
                .toList();
    }

    private Sample.Turn turn(List<NeedleText.Needle> wanted, @Nullable String context) {
        boolean isSingle = wanted.size() == 1;
        NeedleKind values = task.values();
        List<String> keys =
                wanted.stream().map(NeedleText.Needle::key).distinct().toList();
        String question = NeedlePrompts.question(values, isSingle, keys);
        String user = context == null ? question : NeedlePrompts.task(values, isSingle, context) + question;
        List<String> references = wanted.stream().map(NeedleText.Needle::value).toList();
        String prefix = NeedlePrompts.answerPrefix(values, isSingle, keys);
        return new Sample.Turn(
                user,
                question,
                prefix,
                references,
                NeedleSampler.NEW_TOKENS,
                List.of(),
                List.of(RulerMetrics.STRING_MATCH_ALL));
    }
}
