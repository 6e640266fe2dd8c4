package io.shadowkv.cache.prefill;

import io.shadowkv.op.Backend;

/// How prompts attend, for one decoder shape and backend. Immutable.
public interface PrefillAttention {
    /// Opens the attention of one text that is read. A text that is too short for sparse attention to
    /// pay is read exactly.
    ///
    /// @param before number of tokens in front of the text, whose keys are there
    /// @param tokens number of tokens of the text
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    PromptAttention open(int before, int tokens);

    /// Bytes of device memory that [#open] allocates.
    long bytes(int before, int tokens);

    /// Creates the attention that a spec describes.
    ///
    /// @throws IllegalArgumentException if patterns are of another model
    static PrefillAttention of(PrefillSpec spec, HeadShape shape, Backend backend) {
        return spec instanceof PrefillSpec.Measured measured
                ? of(measured.read(), measured.rows(), shape, backend)
                : of(spec, 0, shape, backend);
    }

    private static PrefillAttention of(PrefillSpec spec, int measuredRows, HeadShape shape, Backend backend) {
        return switch (spec) {
            case PrefillSpec.Exact _ -> exact(backend);
            case PrefillSpec.Blocks blocks -> BlockAttention.of(blocks, measuredRows, shape, backend);
            case PrefillSpec.MInference minference -> {
                minference.patterns().check(shape.layers(), shape.queryHeads());
                yield MinferenceAttention.of(minference, measuredRows, shape, backend);
            }
            case PrefillSpec.Measured measured -> of(measured, shape, backend);
        };
    }

    /// Every row attends to all keys before it, and `trials` receives what candidates of patterns would
    /// keep of it. The host computes that.
    ///
    /// @param rows number of rows of a text that are measured
    static PrefillAttention trying(PatternTrials trials, int rows, HeadShape shape, Backend backend) {
        return new TrialAttention(trials, rows, shape, backend);
    }

    /// Every row attends to all keys before it.
    static PrefillAttention exact(Backend backend) {
        PromptAttention exact = new ExactAttention(backend);
        return new PrefillAttention() {
            @Override
            public PromptAttention open(int before, int tokens) {
                return exact;
            }

            @Override
            public long bytes(int before, int tokens) {
                return 0;
            }
        };
    }
}
