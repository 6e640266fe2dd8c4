package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Receives the progress of a run. Every examiner calls it from its own thread, so an
/// implementation must be thread-safe and quick.
public interface Watcher {
    /// Called before items are asked.
    ///
    /// @param examiner number of the examiner, from 0
    /// @param items the items
    void asking(int examiner, List<Item> items);

    /// Called while prompts are read.
    ///
    /// @param done share of the current items' prompts read, 0 to 1
    void reading(int examiner, double done);

    /// Called when the answers are in the log.
    ///
    /// @param answers the new answers
    void answered(int examiner, List<AnswerRecord> answers, Progress progress);

    /// Called after an examiner has failed; another is opened in its place, and the items are asked
    /// again.
    void failed(int examiner, List<Item> items, ExaminerFailure failure);

    /// Called when a sample cannot be asked and is left out; the run continues with the others.
    void leftOut(int examiner, SampleRefusal refusal);

    /// Progress of a run.
    ///
    /// @param done items answered under every method, including those of earlier runs
    /// @param total number of items
    /// @param left estimated time until all are answered; null before the run's first answer
    record Progress(int done, int total, @Nullable Duration left) {
        /// Computes the progress.
        ///
        /// @param answered items that this run answered
        /// @param elapsed time since the run started
        public static Progress of(int done, int total, int answered, Duration elapsed) {
            Duration left =
                    answered == 0 ? null : elapsed.multipliedBy(total - done).dividedBy(answered);
            return new Progress(done, total, left);
        }
    }
}
