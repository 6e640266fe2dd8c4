package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import java.time.Duration;
import java.util.List;

/// Appends the answers that the log does not have yet, and counts them. Used by the thread of the
/// log.
public final class AnswerCollector {
    private final AnswerLog log;
    private final int total;
    private final int open;
    private final long start = System.nanoTime();
    private int answered;

    /// The result of appending answers.
    ///
    /// @param fresh the answers that were appended
    /// @param progress the run's progress after it
    public record Appended(List<AnswerRecord> fresh, Watcher.Progress progress) {}

    /// Creates a counter for a log.
    ///
    /// @param total number of wanted items
    /// @param open number of those that the log does not answer
    public AnswerCollector(AnswerLog log, int total, int open) {
        this.log = log;
        this.total = total;
        this.open = open;
    }

    /// Appends answers.
    ///
    /// @param answers to one or more items, complete for each item
    public Appended append(List<AnswerRecord> answers) {
        List<AnswerRecord> fresh =
                answers.stream().filter(answer -> !log.contains(answer.key())).toList();
        log.append(fresh);
        answered += (int) fresh.stream()
                .map(answer -> new Item(answer.key().task(), answer.key().index()))
                .distinct()
                .count();
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        return new Appended(fresh, Watcher.Progress.of(total - open + answered, total, answered, elapsed));
    }
}
