package io.shadowkv.eval.rows;

/// Answers questions about documents. Consecutive questions about the same document share it.
public interface RowAnswerer extends AutoCloseable {
    /// Receives answers on any thread.
    interface Listener {
        void answered(RowAnswer answer);

        /// Nothing will be answered any more.
        void broken(RuntimeException reason);
    }

    /// Starts to answer a row. Waits while the row's document is read, and while too many answers
    /// are not ready. For one thread at a time.
    ///
    /// @param listener receives exactly one answer, or that the answerer is broken; neither if the
    ///     run was cancelled
    void ask(RowQuestion row, Listener listener);

    /// Waits for the answers to all rows that were asked.
    ///
    /// @throws InterruptedException if the thread is interrupted meanwhile
    void awaitAnswers() throws InterruptedException;

    @Override
    void close();
}
