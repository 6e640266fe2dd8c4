package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import java.util.List;

/// Answers samples under every method of a run, with an engine in this process or through a worker
/// process.
///
/// For one thread at a time.
public interface Examiner extends AutoCloseable {
    /// Announces the items that will probably be asked next, in order, so that they can be
    /// prepared. An implementation may ignore it.
    ///
    /// @param items the next one first
    default void expect(List<Item> items) {}

    /// Asks the items together.
    ///
    /// @param wanted the answers that the log does not have; others are optional
    /// @param listener called with the progress
    /// @return the wanted answers: ordered by item, then turn, then method as in the run
    /// @throws java.util.concurrent.CancellationException if the run was cancelled; no answer to
    ///     the items counts
    /// @throws io.shadowkv.eval.SampleRefusal if one of the items cannot be asked; none of the others
    ///     was asked yet
    /// @throws ExaminerFailure if the answering process has ended; another examiner may ask the
    ///     items again
    List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener);

    /// Tells which answers are missing.
    @FunctionalInterface
    interface Wanted {
        boolean isWanted(AnswerRecord.Key key);
    }

    /// Receives the progress of the items, on the examiner's thread.
    @FunctionalInterface
    interface Listener {
        /// Called while the prompts are read.
        ///
        /// @param done share of the items' prompts read, 0 to 1
        void reading(double done);
    }

    @Override
    void close();
}
