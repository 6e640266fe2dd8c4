package io.shadowkv.cache;

import io.shadowkv.op.Backend;
import io.shadowkv.op.Rotary;
import java.util.List;

/// A strategy bound to a decoder's shape and a backend: makes the caches of both phases and knows their size
/// beforehand.
///
/// [PromptCache] (prefill) → [PromptCache#seal] → [SequenceCache], which joins the [DecodeCache] (decode).
public interface CacheStrategy {
    /// Opens one sequence for its prompt and allocates what it will ever need.
    ///
    /// @param promptTokens tokens that prefill will bring
    /// @param rotary tables that cover the capacity
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    PromptCache openPrompt(int promptTokens, SequenceSize size, Rotary rotary);

    /// Makes a sequence of a prompt that was read with full attention, so that one reading serves several
    /// strategies.
    ///
    /// @param prompt keeps its memory; may be closed afterwards
    /// @param tokens the prompt's tokens; later ones of the source are left out
    SequenceCache openFrom(KeyValueSource prompt, int tokens, SequenceSize size);

    /// The cache that sequences join to be decoded together.
    DecodeCache openDecode();

    /// Bytes of one sequence, part by part; [#openPrompt] allocates exactly these.
    List<Allocation> footprint(SequenceSize size);

    /// Bytes that one prompt needs beside its footprint while it is read.
    long promptWorkspaceBytes(int promptTokens);

    /// Bytes that a decode cache needs for steps of `rows` sequences of up to `capacityTokens` tokens.
    long decodeBytes(int rows, int capacityTokens);

    /// One part of a sequence's memory, all layers together.
    ///
    /// @param name what it is, for people
    record Allocation(String name, long bytes, Backend.Place place) {}
}
