package io.shadowkv.eval.ruler.text;

import io.shadowkv.eval.needle.RandomDraws;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/// Questions about one of many documents (NVIDIA/RULER and bytedance/ShadowKV, `qa.py`).
public final class QaGenerator implements Generator {
    private static final int STEP = 10;

    private final Frame frame;
    private final QaSet set;
    private final long seed;

    public QaGenerator(Frame frame, QaSet set, long seed) {
        this.frame = frame;
        this.set = set;
        this.seed = seed;
    }

    @Override
    public Frame frame() {
        return frame;
    }

    @Override
    public int samples() {
        return set.questions().size();
    }

    @Override
    public int search(SplittableRandom random) {
        var search = new SizeSearch(STEP, set.documents().size(), false, STEP, 3, frame.newTokens());
        return frame.isNvidia()
                ? search.bisecting(frame.maxTokens(), size -> frame.tokens(draft(0, size, random), ""))
                : search.stepping(frame.maxTokens(), size -> {
                    Draft draft = draft(0, size, random);
                    return frame.tokens(draft, " " + RulerPrompts.pythonList(draft.answers()));
                });
    }

    @Override
    public Draft draft(int index, int size, SplittableRandom random) {
        QaSet.Question question = set.questions().get(index);
        List<String> documents = new ArrayList<>(documents(question, size, random));
        // Texts with the same number of documents have the same order.
        RandomDraws.shuffle(documents, RandomDraws.random(seed, "ruler, order of documents", 0));
        var context = new StringBuilder();
        for (int i = 0; i < documents.size(); i++) {
            context.append(i == 0 ? "" : "\n\n")
                    .append("Document ")
                    .append(i + 1)
                    .append(":\n")
                    .append(documents.get(i));
        }
        String user =
                RulerPrompts.QA.replace(RulerPrompts.QUERY, question.text()).replace(RulerPrompts.CONTEXT, context);
        return frame.draft(user, RulerPrompts.QA_ANSWER, question.text(), question.answers());
    }

    private List<String> documents(QaSet.Question question, int size, SplittableRandom random) {
        List<String> all = set.documents();
        if (size >= all.size()) {
            return repeated(all, frame.isNvidia() ? size : all.size());
        }
        List<Integer> taken = new ArrayList<>(question.own());
        int wanted = size - taken.size();
        if (wanted <= question.related().size()) {
            taken.addAll(RandomDraws.sample(question.related(), Math.max(0, wanted), random));
        } else {
            taken.addAll(question.related());
            Set<Integer> known = new HashSet<>(taken);
            List<Integer> others = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                if (!known.contains(i)) {
                    others.add(i);
                }
            }
            taken.addAll(RandomDraws.sample(others, Math.min(others.size(), Math.max(0, size - taken.size())), random));
        }
        return taken.stream().map(all::get).toList();
    }

    private static List<String> repeated(List<String> all, int size) {
        List<String> documents = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            documents.add(all.get(i % all.size()));
        }
        return documents;
    }

    @Override
    public int step() {
        return STEP;
    }

    @Override
    public int least() {
        return set.mostOwn();
    }
}
