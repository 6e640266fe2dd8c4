package io.shadowkv.model;

import io.shadowkv.cache.PromptCache;
import io.shadowkv.op.Rotary;

/// One prompt of a prefill.
///
/// @param ids the prompt, every id within the vocabulary
/// @param cache receives keys and values
/// @param rotary tables that cover the prompt
public record PromptRows(int[] ids, PromptCache cache, Rotary rotary) {}
