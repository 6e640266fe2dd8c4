package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/// What a run asks of whom: everything that makes the keys of its answers.
///
/// All turns of an item under one method are appended to the log together, so an item is answered under a
/// method as soon as the log holds one of its turns.
///
/// @param model the model's name
/// @param backend what computes
/// @param kvType type of keys and values
/// @param tasks names of tasks, in the order asked
/// @param contextTokens tokens that prompt and answer may have together; 0 where the file decides
/// @param samples of each task
/// @param seed of the samples
/// @param methods who answers, in the order in which reports show them
public record EvalPlan(
        String model,
        String backend,
        String kvType,
        List<String> tasks,
        int contextTokens,
        int samples,
        long seed,
        List<Method> methods) {
    public EvalPlan {
        if (tasks.isEmpty() || methods.isEmpty() || samples < 1) {
            throw new IllegalArgumentException("a plan needs a task, a method and a sample; it has " + tasks.size()
                    + " tasks, " + methods.size() + " methods and " + samples + " samples");
        }
        tasks = List.copyOf(tasks);
        methods = List.copyOf(methods);
    }

    /// Every task's first samples, task by task.
    public List<Item> items() {
        return items(_ -> Integer.MAX_VALUE);
    }

    /// Every task's first samples, task by task.
    ///
    /// @param size how many samples a task has, see `EvalTask.size`
    public List<Item> items(ToIntFunction<String> size) {
        List<Item> items = new ArrayList<>();
        for (String task : tasks) {
            int count = Math.min(samples, size.applyAsInt(task));
            for (int i = 0; i < count; i++) {
                items.add(new Item(task, i));
            }
        }
        return items;
    }

    /// The key of an item's first turn.
    public AnswerRecord.Key key(Item item, Method method) {
        return new AnswerRecord.Key(model, backend, kvType, item.task(), contextTokens, seed, item.index(), 0, method);
    }

    /// What the answers leave open of the items, in their order; items that are answered by all are left
    /// out.
    public List<OpenItem> open(List<Item> items, Collection<AnswerRecord> answers) {
        return remaining(items.stream().map(item -> new OpenItem(item, methods)).toList(), answers);
    }

    /// What the answers leave of what was open.
    public List<OpenItem> remaining(List<OpenItem> open, Collection<AnswerRecord> answers) {
        Set<AnswerRecord.Key> answered =
                answers.stream().map(answer -> firstTurn(answer.key())).collect(Collectors.toSet());
        List<OpenItem> remaining = new ArrayList<>();
        for (OpenItem item : open) {
            List<Method> missing = item.methods().stream()
                    .filter(method -> !answered.contains(key(item.item(), method)))
                    .toList();
            if (!missing.isEmpty()) {
                remaining.add(new OpenItem(item.item(), missing));
            }
        }
        return remaining;
    }

    /// @throws ExaminerFailure if the answers leave something open; it names the first sample
    public void checkAnswered(List<OpenItem> asked, List<AnswerRecord> answers) {
        List<OpenItem> left = remaining(asked, answers);
        if (!left.isEmpty()) {
            Item item = left.getFirst().item();
            String methods =
                    left.getFirst().methods().stream().map(Method::label).collect(Collectors.joining(", "));
            throw new ExaminerFailure(
                    "the examiner left sample " + item.index() + " of " + item.task() + " unanswered under " + methods,
                    new IllegalStateException(left + " after " + answers.size() + " answers"));
        }
    }

    /// Says of each key, whatever its turn, whether it belongs to the open items. Any thread may ask.
    public Examiner.Wanted wanted(Collection<OpenItem> open) {
        Set<AnswerRecord.Key> keys = new HashSet<>();
        for (OpenItem item : open) {
            item.methods().forEach(method -> keys.add(key(item.item(), method)));
        }
        return key -> keys.contains(firstTurn(key));
    }

    /// The answers that belong to the items and to this plan: items in their order, turns in theirs,
    /// methods in the plan's. The order in which they came does not show.
    public List<AnswerRecord> answers(List<Item> items, Collection<AnswerRecord> answers) {
        Map<AnswerRecord.Key, Integer> places = new HashMap<>();
        for (Item item : items) {
            for (Method method : methods) {
                places.putIfAbsent(key(item, method), places.size());
            }
        }
        int width = methods.size();
        Comparator<AnswerRecord> byItem = Comparator.comparingInt(answer -> place(places, answer) / width);
        return answers.stream()
                .filter(answer -> places.containsKey(firstTurn(answer.key())))
                .sorted(byItem.thenComparingInt(answer -> answer.key().turn())
                        .thenComparingInt(answer -> place(places, answer)))
                .toList();
    }

    private static int place(Map<AnswerRecord.Key, Integer> places, AnswerRecord answer) {
        return places.getOrDefault(firstTurn(answer.key()), 0);
    }

    private static AnswerRecord.Key firstTurn(AnswerRecord.Key key) {
        return key.atTurn(0);
    }
}
