package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import java.time.Duration;
import java.util.List;

/// Where the answers of a run come in: appends those that the log does not hold, and counts. Used by the
/// log's thread.
public final class Intake {
    private final AnswerLog log;
    private final int total;
    private final int open;
    private final long start = System.nanoTime();
    private int answered;

    /// What became of answers.
    ///
    /// @param fresh those that were appended
    /// @param progress how far the run is now
    public record Taken(List<AnswerRecord> fresh, Watcher.Progress progress) {}

    /// @param total items that are wanted
    /// @param open those of them that the log does not answer
    public Intake(AnswerLog log, int total, int open) {
        this.log = log;
        this.total = total;
        this.open = open;
    }

    /// @param answers to one or more items, each complete
    public Taken take(List<AnswerRecord> answers) {
        List<AnswerRecord> fresh =
                answers.stream().filter(answer -> !log.contains(answer.key())).toList();
        log.append(fresh);
        answered += (int) fresh.stream()
                .map(answer -> new Item(answer.key().task(), answer.key().index()))
                .distinct()
                .count();
        Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
        return new Taken(fresh, Watcher.Progress.of(total - open + answered, total, answered, elapsed));
    }
}
