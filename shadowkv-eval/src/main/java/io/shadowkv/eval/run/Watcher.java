package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Hears how far a run is. Every examiner calls from a thread of its own, so an implementation must be
/// thread-safe and quick.
public interface Watcher {
    /// @param seat number of the examiner, from 0
    /// @param items it was given
    void asking(int seat, List<Item> items);

    /// @param done share of the prompts of the items at hand that is read, 0 to 1
    void reading(int seat, double done);

    /// The answers are in the log.
    ///
    /// @param answers those that were new
    void answered(int seat, List<AnswerRecord> answers, Progress progress);

    /// The examiner is gone; another takes its seat, and the items are asked again.
    void failed(int seat, List<Item> items, ExaminerFailure failure);

    /// The sample cannot be asked and is left out; the run goes on with the others.
    void leftOut(int seat, SampleRefusal refusal);

    /// How far a run is.
    ///
    /// @param done items answered by every method, those of earlier runs included
    /// @param total items there are
    /// @param left time until all are answered, at the speed of this run; null before its first answer
    record Progress(int done, int total, @Nullable Duration left) {
        /// @param answered items that this run answered
        /// @param elapsed since its start
        public static Progress of(int done, int total, int answered, Duration elapsed) {
            Duration left =
                    answered == 0 ? null : elapsed.multipliedBy(total - done).dividedBy(answered);
            return new Progress(done, total, left);
        }
    }
}
