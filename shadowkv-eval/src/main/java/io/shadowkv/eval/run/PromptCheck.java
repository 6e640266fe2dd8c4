package io.shadowkv.eval.run;

import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.Metric;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.eval.Sample;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.DoubleConsumer;

/// Compares the prompts that a log's answers were given to with the prompts that a run would ask
/// now, so that answers to old prompts are not mixed with answers to new ones. It compares the ids
/// of the prompts and the right answers, and needs no weights.
public final class PromptCheck {
    /// Number of samples made at a time.
    private static final int WINDOW = 32;

    private final Map<String, EvalTask> tasks;
    private final SampleMaker maker;
    private final BooleanSupplier isCancelled;

    /// Creates a check.
    ///
    /// @param tasks by name
    /// @param format adds the template to questions
    /// @param tokenizer the model's
    /// @param contextTokens the model's context
    /// @param isCancelled checked between samples
    public PromptCheck(
            Map<String, EvalTask> tasks,
            PromptFormat format,
            Tokenizer tokenizer,
            int contextTokens,
            BooleanSupplier isCancelled) {
        this.tasks = Map.copyOf(tasks);
        this.maker = new SampleMaker(tasks, format, tokenizer, contextTokens);
        this.isCancelled = isCancelled;
    }

    /// A sample as it is made now, or why it cannot be made.
    private record Made(Optional<Preparation.Prepared> prepared, String refusal) {}

    /// Makes every sample that the answers belong to, and compares.
    ///
    /// @param file the file with the answers, for the message
    /// @param answers of the same model, length and seed as the tasks; those to other tasks are
    ///     ignored
    /// @param progress receives the share that is compared, 0 to 1
    /// @throws IllegalArgumentException if a prompt or a right answer has changed; the message has
    ///     both values of the first such sample and the number of samples that differ
    /// @throws CancellationException if it was cancelled
    public void check(Path file, Collection<AnswerRecord> answers, DoubleConsumer progress) {
        Map<Item, List<AnswerRecord>> byItem = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            if (tasks.containsKey(answer.key().task())) {
                byItem.computeIfAbsent(
                                new Item(answer.key().task(), answer.key().index()), _ -> new ArrayList<>())
                        .add(answer);
            }
        }
        List<Item> items = List.copyOf(byItem.keySet());
        String first = "";
        int differing = 0;
        try (var preparation = new Preparation<Made>(this::make)) {
            for (int from = 0; from < items.size(); from += WINDOW) {
                if (isCancelled.getAsBoolean()) {
                    throw new CancellationException("cancelled while prompts were compared");
                }
                List<Item> window = items.subList(from, Math.min(from + WINDOW, items.size()));
                List<Made> made = preparation.take(window);
                for (int i = 0; i < window.size(); i++) {
                    String difference = difference(Objects.requireNonNull(byItem.get(window.get(i))), made.get(i));
                    differing += difference.isEmpty() ? 0 : 1;
                    first = first.isEmpty() && !difference.isEmpty() ? name(window.get(i)) + difference : first;
                }
                progress.accept((double) Math.min(from + WINDOW, items.size()) / items.size());
            }
        }
        if (differing > 0) {
            throw new IllegalArgumentException(
                    ("%s has answers to other prompts than this command asks: %s. %,d of %,d samples differ. The data"
                                    + " files, the tokenizer, the chat template or this program have changed since then. Give"
                                    + " another folder, or restore what changed")
                            .formatted(file, first, differing, items.size()));
        }
    }

    private static String name(Item item) {
        return "sample " + item.index() + " of " + item.task();
    }

    private Made make(Item item) {
        if (item.index() >= Objects.requireNonNull(tasks.get(item.task())).size()) {
            return new Made(Optional.empty(), "the task has no such sample now");
        }
        try {
            return new Made(Optional.of(maker.make(item)), "");
        } catch (SampleRefusal e) {
            return new Made(Optional.empty(), "it cannot be asked now: " + e.getMessage());
        }
    }

    /// The end of a sentence; empty if nothing differs.
    private static String difference(List<AnswerRecord> answers, Made made) {
        if (made.prepared().isEmpty()) {
            return " was answered, and " + made.refusal();
        }
        Preparation.Prepared now = made.prepared().get();
        String hash = now.dialogue().promptHash();
        List<Sample.Turn> turns = SampleDialogue.asked(now.sample());
        for (AnswerRecord answer : answers) {
            int turn = answer.key().turn();
            if (!answer.promptHash().equals(hash)) {
                return " had the prompt " + answer.promptHash() + " and has " + hash + " now";
            }
            if (turn >= turns.size()) {
                return " had " + (turn + 1) + " turns and has " + turns.size() + " now";
            }
            if (!answer.references().equals(turns.get(turn).references())) {
                return " had the right answers " + answer.references() + " and has "
                        + turns.get(turn).references() + " now";
            }
            List<String> metrics =
                    turns.get(turn).metrics().stream().map(Metric::name).toList();
            if (!List.copyOf(answer.scores().keySet()).equals(metrics)) {
                return " was scored by " + answer.scores().keySet() + " and is scored by " + metrics + " now";
            }
        }
        return "";
    }
}
