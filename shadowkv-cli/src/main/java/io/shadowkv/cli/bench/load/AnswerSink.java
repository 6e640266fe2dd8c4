package io.shadowkv.cli.bench.load;

/// Receives an answer while it arrives. Called by one thread.
public interface AnswerSink {
    /// A part of the answer arrived now.
    void arrived();

    /// The counts that the server gives, after the last part.
    ///
    /// @param cachedTokens prompt tokens that the server did not read again
    void counted(int promptTokens, int cachedTokens, int answerTokens);
}
