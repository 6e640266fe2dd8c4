package io.shadowkv.model;

import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.cache.PromptCache;

/// One prompt of a prefill, or the tokens of a further turn.
///
/// @param ids every id within the vocabulary
/// @param cache receives keys and values
/// @param rotary tables that cover the positions
/// @param firstPosition number of tokens in the cache before
public record PromptRows(int[] ids, PromptCache cache, LayerRotaries rotary, int firstPosition) {}
