package io.shadowkv.engine.answer;

/// Receives the logits from which each token of a sequence is drawn.
public interface LogitsListener {
    /// @param generated ids generated in this turn so far
    /// @param row `[vocabulary]`; the listener may keep it
    void logits(int[] generated, float[] row);
}
