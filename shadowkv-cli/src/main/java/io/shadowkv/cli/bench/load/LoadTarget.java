package io.shadowkv.cli.bench.load;

/// What requests are sent to. Thread-safe.
public interface LoadTarget {
    /// Sends a request and waits for the end of its answer.
    ///
    /// @throws LoadFailure if there is no whole answer
    /// @throws InterruptedException if the run ends
    void answer(LoadRequest request, AnswerSink sink) throws InterruptedException;

    /// Reads a document, so that requests about it do not read it again. Waits until it is read.
    ///
    /// @throws LoadFailure if it was not read
    /// @throws InterruptedException if the run ends
    void read(LoadDocument document) throws InterruptedException;

    /// Frees a document.
    ///
    /// @throws LoadFailure if that failed
    /// @throws InterruptedException if the run ends
    void forget(LoadDocument document) throws InterruptedException;
}
