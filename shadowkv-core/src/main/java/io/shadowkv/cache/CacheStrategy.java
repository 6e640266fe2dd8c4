package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import io.shadowkv.tensor.CloseAll;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A cache strategy for one decoder shape and backend. Creates the caches of both phases and
/// computes their size in advance.
///
/// [PromptCache] (prefill) → [PromptCache#seal] → [SequenceCache], which joins the [DecodeCache] (decode).
public interface CacheStrategy {
    /// Opens the cache of one sequence for prefill and allocates all memory that the sequence will
    /// need.
    ///
    /// @param promptTokens number of tokens in the prompt
    /// @param rotary tables that cover the sequence's capacity
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    PromptCache openPrompt(int promptTokens, SequenceSize size, LayerRotaries rotary);

    /// Creates a sequence from a prompt that was read with full attention, so that one prefill
    /// serves several strategies.
    ///
    /// @param prompt only read; may be closed afterwards
    /// @param tokens number of tokens to take; later tokens of `prompt` are ignored
    SequenceCache openFrom(KeyValueSource prompt, int tokens, SequenceSize size);

    /// Opens the ranking of what a step would select from a prompt that was read with full attention.
    ///
    /// @param prompt only read; may be closed afterwards
    /// @param tokens number of tokens to take; later tokens of `prompt` are ignored
    /// @throws IllegalArgumentException if the strategy selects nothing from a prompt of this length
    default SelectionRanking openRanking(KeyValueSource prompt, int tokens) {
        throw new IllegalArgumentException("full attention selects nothing; use shadowkv");
    }

    /// Allocates a sequence to restore. The caller then fills the tensors of its state.
    ///
    /// @param rotary tables that cover the sequence's capacity
    /// @param numbers numbers of the saved state
    /// @throws IllegalArgumentException if the numbers do not describe a sequence of this size
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    SequenceCache restore(SequenceSize size, LayerRotaries rotary, Map<String, Long> numbers);

    /// Opens the reading of further tokens of several sequences, which is [SequenceCache#extend] for
    /// each of them. Forks of one sequence that share its memory are read together: what they share is
    /// restored once in each layer. Closing one of the caches does not disturb the others.
    ///
    /// @param turns turns of different sequences, each with a number of tokens that
    ///     [SequenceCache#canExtend] takes
    /// @return the caches in the order of the turns
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available; nothing is open
    ///     then
    default List<PromptCache> extend(List<Turn> turns) {
        List<PromptCache> opened = new ArrayList<>();
        try {
            turns.forEach(turn -> opened.add(turn.sequence().extend(turn.tokens())));
            return List.copyOf(opened);
        } catch (RuntimeException e) {
            CloseAll.after(e, opened, PromptCache::close);
            throw e;
        }
    }

    /// Opens the cache of a decode batch, which sequences join.
    DecodeCache openDecode();

    /// The memory of one sequence as a list of allocations; [#openPrompt] allocates exactly these.
    List<Allocation> footprint(SequenceSize size);

    /// Bytes that one prompt needs during prefill in addition to its footprint.
    long promptWorkspaceBytes(int promptTokens);

    /// Bytes that the attention of one turn needs while it is read. Turns that are read together need
    /// them at the same time.
    ///
    /// @param before number of tokens in front of the turn
    long turnAttentionBytes(int before, int tokens);

    /// Bytes that a decode cache needs for steps of `rows` sequences of up to `capacityTokens` tokens.
    long decodeBytes(int rows, int capacityTokens);

    /// Further tokens of one sequence.
    ///
    /// @param tokens number of new tokens
    record Turn(SequenceCache sequence, int tokens) {}

    /// One item of a sequence's memory, summed over all layers.
    ///
    /// @param name display name
    record Allocation(String name, long bytes, Backend.Place place) {}
}
