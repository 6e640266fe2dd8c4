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

/// The questions and methods of a run: everything that determines the keys of its answers.
///
/// All turns of an item under one method are appended to the log together, so an item is answered
/// under a method as soon as the log has one of its turns.
///
/// @param model the model's name
/// @param backend name of the backend
/// @param kvType type of keys and values
/// @param tasks names of tasks, in the order asked
/// @param contextTokens maximum length of prompt and answer together; 0 if the file determines it
/// @param samples number of samples of each task
/// @param seed seed of the samples
/// @param methods the methods, in the order of reports
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
    /// @param size returns the number of a task's samples, see `EvalTask.size`
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

    /// The items that the answers do not cover for every method, in their order.
    public List<OpenItem> open(List<Item> items, Collection<AnswerRecord> answers) {
        return remaining(items.stream().map(item -> new OpenItem(item, methods)).toList(), answers);
    }

    /// The part of the open items that the answers do not cover.
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

    /// Checks that the answers cover all open items.
    ///
    /// @throws ExaminerFailure if they do not; it names the first sample
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

    /// A predicate for keys of any turn: true if the key belongs to the open items. Thread-safe.
    public Examiner.Wanted wanted(Collection<OpenItem> open) {
        Set<AnswerRecord.Key> keys = new HashSet<>();
        for (OpenItem item : open) {
            item.methods().forEach(method -> keys.add(key(item.item(), method)));
        }
        return key -> keys.contains(firstTurn(key));
    }

    /// The answers that belong to the items and to this plan: ordered by item, then turn, then
    /// method as in the plan. The result does not depend on the order of `answers`.
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
