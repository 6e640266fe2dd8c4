package io.shadowkv.cache.prefill;

import io.shadowkv.op.Backend;
import java.util.function.IntToLongFunction;

/// Sparse attention of texts that are long enough; shorter ones are read exactly.
///
/// @param leastContext least number of tokens of the text and of what stands in front of it
/// @param leastTokens least number of tokens of the text
/// @param sparse opens the attention of a long text
/// @param sparseBytes bytes of device memory that it allocates for a text that ends at this position
record LongTexts(int leastContext, int leastTokens, Opening sparse, IntToLongFunction sparseBytes, Backend backend)
        implements PrefillAttention {
    /// See [PrefillAttention#open].
    interface Opening {
        PromptAttention open(int before, int tokens);
    }

    @Override
    public PromptAttention open(int before, int tokens) {
        return isSparse(before, tokens) ? sparse.open(before, tokens) : new ExactAttention(backend);
    }

    @Override
    public long bytes(int before, int tokens) {
        return isSparse(before, tokens) ? sparseBytes.applyAsLong(before + tokens) : 0;
    }

    private boolean isSparse(int before, int tokens) {
        return before + tokens >= leastContext && tokens >= leastTokens;
    }
}
