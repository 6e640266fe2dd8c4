package io.shadowkv.eval.run;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Computes answers from the keys alone, so that they are the same in every process. Samples with
/// an odd index have two turns, of which the first has no score.
public final class FakeExaminer implements Examiner {
    public static final Method SHADOW = Method.of(KvCacheSpec.Shadow.DEFAULT);

    private final EvalPlan plan;
    private final Consumer<Item> beforeItem;

    /// Creates an examiner.
    ///
    /// @param beforeItem may throw, wait, or end the process
    public FakeExaminer(EvalPlan plan, Consumer<Item> beforeItem) {
        this.plan = plan;
        this.beforeItem = beforeItem;
    }

    public FakeExaminer(EvalPlan plan) {
        this(plan, _ -> {});
    }

    /// A plan with two tasks and two methods.
    public static EvalPlan plan(int samples) {
        return new EvalPlan(
                "fake", "none", "BF16", List.of("a/x", "b/y"), 4096, samples, 7, List.of(Method.FULL, SHADOW));
    }

    @Override
    public List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener) {
        List<AnswerRecord> answers = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            Item item = items.get(i);
            beforeItem.accept(item);
            listener.reading((i + 1.0) / items.size());
            for (int turn = item.index() % 2; turn <= 2 * (item.index() % 2); turn++) {
                for (Method method : plan.methods()) {
                    AnswerRecord answer = answer(plan.key(item, method), turn);
                    if (wanted.isWanted(answer.key())) {
                        answers.add(answer);
                    }
                }
            }
        }
        return answers;
    }

    private static AnswerRecord answer(AnswerRecord.Key first, int turn) {
        AnswerRecord.Key key = first.atTurn(turn);
        int hash = (first.task() + first.index() + "/" + turn + first.method().label()).hashCode();
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("own", Math.floorMod(hash, 1000) / 999.0);
        scores.put("another", 1.0 / 3);
        boolean isFull = first.method().equals(Method.FULL);
        return new AnswerRecord(
                key,
                "\"" + hash + "\"\n é",
                List.of(hash, 2),
                List.of("one", "two"),
                scores,
                Map.of("depth", "" + first.index()),
                Integer.toHexString(first.task().hashCode()),
                4000 + first.index(),
                0.1,
                0.01,
                1e-7 * hash,
                2,
                1,
                isFull ? null : 0.6,
                1L << 33,
                0,
                "stop",
                isFull ? null : new AnswerRecord.Divergence(3, 1e-9, 0.1, 2.0 / 3),
                null,
                null);
    }

    @Override
    public void close() {}
}
