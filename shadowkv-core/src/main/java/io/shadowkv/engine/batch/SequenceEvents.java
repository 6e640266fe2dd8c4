package io.shadowkv.engine.batch;

import io.shadowkv.engine.GenerationListener;
import io.shadowkv.sampling.TokenLogprobs;
import org.jspecify.annotations.Nullable;

/// Receives what happens to one sequence, on the thread that runs the scheduler. An exception ends
/// the sequence, and no other.
public interface SequenceEvents {
    /// Part of the prompt was read.
    ///
    /// @param done completed share of the work, from 0 to 1
    void reading(double done);

    /// A token was generated.
    ///
    /// @param text complete characters that this token added to the text; may be empty
    /// @param logprobs log probabilities; null if they were not requested
    void token(int id, String text, @Nullable TokenLogprobs logprobs);

    /// The sequence ended: [Sequence#completion] returns its result or throws its failure. The
    /// scheduler does not use the sequence any more.
    void ended(Sequence sequence);

    /// Passes everything to a listener at once.
    static SequenceEvents to(GenerationListener listener) {
        return new SequenceEvents() {
            @Override
            public void reading(double done) {
                listener.reading(done);
            }

            @Override
            public void token(int id, String text, @Nullable TokenLogprobs logprobs) {
                listener.token(id, text);
            }

            @Override
            public void ended(Sequence sequence) {}

            @Override
            public boolean isReady() {
                return true;
            }
        };
    }

    /// False to leave the sequence out of steps for now, because its events are not consumed fast
    /// enough.
    boolean isReady();
}
