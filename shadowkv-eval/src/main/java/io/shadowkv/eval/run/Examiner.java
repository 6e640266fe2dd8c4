package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import java.util.List;

/// Answers samples under every method of a run: an engine in this process, or a worker process that has
/// one.
///
/// Used by one thread at a time.
public interface Examiner extends AutoCloseable {
    /// Says what will probably be asked, in order, so that it can be prepared; whoever has nothing to prepare need not
    /// listen.
    ///
    /// @param items the next to be asked first
    default void expect(List<Item> items) {}

    /// Asks the items together.
    ///
    /// @param wanted what the log does not hold yet; others need not be answered
    /// @param listener hears of progress
    /// @return the answers to what is wanted, items in their order, turns in theirs, methods in the run's
    ///     order
    /// @throws java.util.concurrent.CancellationException if the run was cancelled; nothing of the items
    ///     counts
    /// @throws io.shadowkv.eval.SampleRefusal if one of them cannot be asked; nothing was asked of
    ///     the others yet
    /// @throws ExaminerFailure if the process that answered is gone; another examiner may ask the items
    ///     again
    List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener);

    /// Which answers are missing.
    @FunctionalInterface
    interface Wanted {
        boolean isWanted(AnswerRecord.Key key);
    }

    /// Hears how far the items are; on the examiner's thread.
    @FunctionalInterface
    interface Listener {
        /// @param done share of the items' prompts read, 0 to 1
        void reading(double done);
    }

    @Override
    void close();
}
