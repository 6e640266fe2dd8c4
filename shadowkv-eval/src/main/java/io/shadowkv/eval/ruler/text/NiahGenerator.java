package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.Haystack;
import io.shadowkv.eval.needle.NeedleKind;
import io.shadowkv.eval.needle.NeedlePrompts;
import io.shadowkv.eval.needle.NeedleTask;
import io.shadowkv.eval.needle.RandomDraws;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Needles in a haystack (NVIDIA/RULER and bytedance/ShadowKV, `niah.py`).
///
/// Unlike in the original, keys and values of one text are distinct, and no filler needle has a
/// planted key, so that every question has only one answer.
public final class NiahGenerator implements Generator {
    /// 40 values spread evenly over 0 to 100, rounded.
    private static final int DEPTHS = 40;

    private final NeedleTask task;
    private final Frame frame;
    private final RulerWords words;
    private final @Nullable Essay essay;
    private final long seed;

    /// Creates a generator.
    ///
    /// @param essay running text, for tasks with this kind of haystack
    public NiahGenerator(NeedleTask task, Frame frame, RulerWords words, @Nullable Essay essay, long seed) {
        this.task = task;
        this.frame = frame;
        this.words = words;
        this.essay = essay;
        this.seed = seed;
    }

    /// A needle and its depth.
    private record Needle(String key, String value, int depth) {
        Needle at(int percent) {
            return new Needle(key, value, percent);
        }
    }

    /// A text and its needles in the order they were drawn.
    private record Hidden(String text, List<Needle> needles) {}

    @Override
    public Frame frame() {
        return frame;
    }

    @Override
    public int search(SplittableRandom random) {
        int most = essay == null ? Integer.MAX_VALUE : essay.words();
        var search = new SizeSearch(step(), most, true, step(), 3, frame.newTokens());
        return frame.isNvidia()
                ? search.bisecting(frame.maxTokens(), size -> frame.tokens(draft(0, size, random), ""))
                : search.stepping(frame.maxTokens(), size -> {
                    Draft draft = draft(0, size, random);
                    return frame.tokens(draft, String.join(" ", draft.answers()));
                });
    }

    @Override
    public Draft draft(int index, int size, SplittableRandom random) {
        List<String> keys = RandomDraws.distinct(task.keyCount(), () -> random(task.keys(), random));
        List<String> values =
                RandomDraws.distinct(task.keyCount() * task.valuesPerKey(), () -> random(task.values(), random));
        List<Needle> needles = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            needles.add(new Needle(keys.get(i / task.valuesPerKey()), values.get(i), -1));
        }
        Hidden hidden = hide(needles, size, random);
        List<String> asked = RandomDraws.sample(keys, task.queryCount(), random);
        List<Needle> wanted = asked.stream()
                .flatMap(key ->
                        hidden.needles().stream().filter(needle -> needle.key().equals(key)))
                .toList();
        return draft(asked, wanted, hidden.text());
    }

    private Draft draft(List<String> asked, List<Needle> wanted, String text) {
        NeedleKind kind = task.values();
        boolean isSingle = wanted.size() == 1;
        String question = NeedlePrompts.question(kind, isSingle, asked);
        String user = NeedlePrompts.task(kind, isSingle, text) + question;
        String prefix = NeedlePrompts.answerPrefix(kind, isSingle, asked);
        List<String> answers = wanted.stream().map(Needle::value).toList();
        int depth = wanted.getFirst().depth();
        Draft draft = isSingle
                ? frame.singular(user, prefix, question, answers)
                : frame.draft(user, prefix, question, answers);
        return draft.atDepth(depth);
    }

    /// Needles take their positions in the same order in every text.
    private Hidden hide(List<Needle> needles, int size, SplittableRandom random) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < needles.size(); i++) {
            order.add(i);
        }
        RandomDraws.shuffle(order, RandomDraws.random(seed, "ruler, order of needles", 0));
        return essay == null ? amongLines(needles, order, size, random) : inEssay(essay, needles, order, size, random);
    }

    private Hidden inEssay(Essay text, List<Needle> needles, List<Integer> order, int size, SplittableRandom random) {
        List<String> sentences = text.sentences(size, frame.isNvidia());
        int[] depths = RandomDraws.distinctNumbers(DEPTHS, needles.size(), random);
        List<Needle> placed = new ArrayList<>(needles);
        List<String> pieces = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < depths.length; i++) {
            int percent = (int) Math.round(100.0 * depths[i] / (DEPTHS - 1));
            int to = (int) (sentences.size() * (percent / 100.0));
            int number = order.get(i);
            pieces.add(String.join(" ", sentences.subList(from, to)));
            pieces.add(sentence(needles.get(number)));
            placed.set(number, needles.get(number).at(percent));
            from = to;
        }
        pieces.add(String.join(" ", sentences.subList(from, sentences.size())));
        return new Hidden(String.join(" ", pieces), placed);
    }

    private Hidden amongLines(List<Needle> needles, List<Integer> order, int size, SplittableRandom random) {
        List<String> keys = needles.stream().map(Needle::key).toList();
        List<String> filler = new ArrayList<>();
        while (filler.size() < size) {
            filler.add(line(keys, random));
        }
        int[] places = RandomDraws.distinctNumbers(size, needles.size(), random);
        List<Needle> placed = new ArrayList<>(needles);
        List<String> lines = new ArrayList<>(size + places.length);
        int from = 0;
        for (int i = 0; i < places.length; i++) {
            // The first in this order is the last in the text.
            int number = order.get(places.length - 1 - i);
            lines.addAll(filler.subList(from, places[i]));
            lines.add(sentence(needles.get(number)));
            placed.set(number, needles.get(number).at((int) Math.round(100.0 * places[i] / size)));
            from = places[i];
        }
        lines.addAll(filler.subList(from, size));
        return new Hidden(String.join("\n", lines), placed);
    }

    private String line(List<String> plantedKeys, SplittableRandom random) {
        if (task.haystack() == Haystack.REPEAT) {
            return NeedlePrompts.NOISE;
        }
        while (true) {
            String key = random(task.keys(), random);
            if (!plantedKeys.contains(key)) {
                return NeedlePrompts.needle(task.values(), key, random(task.values(), random));
            }
        }
    }

    private String sentence(Needle needle) {
        return NeedlePrompts.needle(task.values(), needle.key(), needle.value());
    }

    private String random(NeedleKind kind, SplittableRandom random) {
        return kind.draw(random, () -> words.key(random));
    }

    @Override
    public int step() {
        return essay != null ? 500 : frame.maxTokens() < 4096 ? 5 : 25;
    }

    @Override
    public int least() {
        return essay != null ? 1 : task.keyCount() * task.valuesPerKey();
    }
}
