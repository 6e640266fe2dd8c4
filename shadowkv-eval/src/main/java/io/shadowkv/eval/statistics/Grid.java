package io.shadowkv.eval.statistics;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// The answers of one setting and one suite of tasks: tasks in the order they were asked, methods
/// in [#METHOD_ORDER].
///
/// @param suite the name before the slash in the tasks' names
/// @param cells by task, then by method; a method may lack answers to a task
public record Grid(Setting setting, String suite, Map<String, Map<Method, Answers>> cells) {
    /// Full attention first, then by the parameters, starting with the budget.
    public static final Comparator<Method> METHOD_ORDER = Comparator.comparing(
                    (Method method) -> shadow(method, s -> 1, 0))
            .thenComparing(method -> shadow(method, Method.Shadow::budget, 0))
            .thenComparing(method -> shadow(method, Method.Shadow::rank, 0))
            .thenComparing(method -> shadow(method, Method.Shadow::chunkSize, 0))
            .thenComparing(Method::label)
            .thenComparing(Method::toString);

    private static <T> T shadow(Method method, Function<Method.Shadow, T> value, T otherwise) {
        Method.Shadow shadow = method.shadow();
        return shadow == null ? otherwise : value.apply(shadow);
    }

    /// Groups answers into grids. Tasks without a score are not in any grid.
    ///
    /// @param taskOrder tasks as they were asked; others follow in the order of their answers
    /// @param setting what the answers of one grid have in common
    public static List<Grid> of(
            Collection<AnswerRecord> answers, List<String> taskOrder, Function<AnswerRecord, Setting> setting) {
        record Place(Setting setting, String suite) {}
        Comparator<Place> order = Comparator.comparing(
                        (Place place) -> place.setting().model())
                .thenComparing(place -> place.setting().contextTokens() == 0)
                .thenComparingInt(place -> place.setting().contextTokens())
                .thenComparing(place -> place.setting().backend())
                .thenComparing(place -> place.setting().kvType());
        Map<Place, Map<String, Map<Method, Answers>>> found = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            String task = answer.key().task();
            found.computeIfAbsent(new Place(setting.apply(answer), suite(task)), _ -> new LinkedHashMap<>())
                    .computeIfAbsent(task, _ -> new LinkedHashMap<>())
                    .computeIfAbsent(answer.key().method(), method -> new Answers(task, method))
                    .add(answer);
        }
        found.values().forEach(cells -> {
            cells.values()
                    .forEach(row -> row.values().removeIf(some -> some.samples().isEmpty()));
            cells.values().removeIf(Map::isEmpty);
        });
        found.values().removeIf(Map::isEmpty);
        return found.keySet().stream()
                .sorted(order)
                .map(place -> new Grid(
                        place.setting(), place.suite(), sorted(found.getOrDefault(place, Map.of()), taskOrder)))
                .toList();
    }

    private static Map<String, Map<Method, Answers>> sorted(
            Map<String, Map<Method, Answers>> cells, List<String> taskOrder) {
        Map<String, Map<Method, Answers>> sorted = new LinkedHashMap<>();
        Stream.concat(taskOrder.stream().filter(cells::containsKey), cells.keySet().stream())
                .distinct()
                .forEach(task -> {
                    Map<Method, Answers> row = new LinkedHashMap<>();
                    cells.getOrDefault(task, Map.of()).entrySet().stream()
                            .sorted(Map.Entry.comparingByKey(METHOD_ORDER))
                            .forEach(entry -> row.put(entry.getKey(), entry.getValue()));
                    sorted.put(task, row);
                });
        return sorted;
    }

    /// The name before the slash.
    public static String suite(String task) {
        int slash = task.indexOf('/');
        return slash < 0 ? task : task.substring(0, slash);
    }

    /// The name after the slash.
    public static String shortName(String task) {
        return task.substring(task.indexOf('/') + 1);
    }

    public List<String> tasks() {
        return List.copyOf(cells.keySet());
    }

    public List<Method> methods() {
        return cells.values().stream()
                .flatMap(row -> row.keySet().stream())
                .distinct()
                .sorted(METHOD_ORDER)
                .toList();
    }

    /// All methods except full attention.
    public List<Method> others() {
        return methods().stream().filter(method -> !method.equals(Method.FULL)).toList();
    }

    public boolean hasFull() {
        return methods().contains(Method.FULL);
    }

    public Optional<Answers> answers(String task, Method method) {
        return Optional.ofNullable(cells.getOrDefault(task, Map.of()).get(method));
    }

    /// All answers of a method.
    public List<Answers> answers(Method method) {
        return tasks().stream().flatMap(task -> answers(task, method).stream()).toList();
    }

    /// Tasks that every method has answered: averages are comparable only over these.
    public List<String> commonTasks() {
        List<Method> all = methods();
        return tasks().stream()
                .filter(task -> cells.getOrDefault(task, Map.of()).keySet().containsAll(all))
                .toList();
    }

    /// The average of the method's scores of the given tasks.
    public Estimate average(Method method, List<String> tasks, Function<Answers, Estimate> score) {
        return Intervals.average(tasks.stream()
                .flatMap(task -> answers(task, method).stream())
                .map(score)
                .toList());
    }

    /// Compares a method with full attention on a task, if both answered it.
    public Optional<PairedComparison> comparison(String task, Method method) {
        return answers(task, Method.FULL)
                .flatMap(full ->
                        answers(task, method).map(other -> PairedComparison.of(full, other, AnswerRecord::score)));
    }

    /// Compares a method with full attention over tasks.
    public PairedComparison comparison(List<String> tasks, Method method) {
        return PairedComparison.average(tasks.stream()
                .flatMap(task -> comparison(task, method).stream())
                .toList());
    }
}
