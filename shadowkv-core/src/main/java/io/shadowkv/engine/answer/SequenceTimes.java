package io.shadowkv.engine.answer;

import io.shadowkv.cache.prefill.LayerDensity;
import io.shadowkv.engine.Completion;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// When the phases of a sequence began, how long they took, and how dense prefill was. Times are those of
/// `System.nanoTime`.
public final class SequenceTimes {
    private long submitted;
    private long deadline;
    private long admitted;
    private long readingSince;
    private long firstTokenNanos;
    private long prefillNanos;
    private long indexingWaitNanos;
    private long decodeNanos;
    private int decodeSteps;
    private List<LayerDensity> densities = List.of();

    /// @param timeout time from now on after which the sequence must end; null for no limit
    public void submitted(@Nullable Duration timeout) {
        submitted = System.nanoTime();
        deadline = timeout == null ? 0 : submitted + timeout.toNanos();
    }

    public boolean isTimedOut() {
        return deadline != 0 && System.nanoTime() - deadline >= 0;
    }

    /// Reading begins, possibly again.
    public void admitted() {
        readingSince = System.nanoTime();
        admitted = admitted == 0 ? readingSince : admitted;
    }

    /// Reading ended.
    ///
    /// @param waitNanos part of its time that was spent waiting for indexing
    /// @param computed how much of each layer was computed; empty for all
    public void read(long waitNanos, List<LayerDensity> computed) {
        densities = computed;
        prefillNanos += System.nanoTime() - readingSince;
        indexingWaitNanos += waitNanos;
    }

    /// Another object read the prompt, in `nanos` nanoseconds.
    public void wasRead(long nanos, long waitNanos, List<LayerDensity> computed) {
        densities = computed;
        prefillNanos = nanos;
        indexingWaitNanos = waitNanos;
    }

    /// @param isPrompt true for a step that decoded tokens of the prompt
    public void stepped(boolean isPrompt, long nanos) {
        if (isPrompt) {
            prefillNanos += nanos;
        } else {
            decodeNanos += nanos;
            decodeSteps++;
        }
    }

    public void generated() {
        if (firstTokenNanos == 0) {
            firstTokenNanos = System.nanoTime() - submitted;
        }
    }

    /// How much of each layer was computed in the last reading; empty for all.
    public List<LayerDensity> densities() {
        return densities;
    }

    public Completion.Timings timings() {
        long begun = admitted == 0 ? System.nanoTime() : admitted;
        return new Completion.Timings(
                begun - submitted, prefillNanos, indexingWaitNanos, firstTokenNanos, decodeNanos, decodeSteps);
    }
}
