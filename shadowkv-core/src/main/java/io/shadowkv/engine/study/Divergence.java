package io.shadowkv.engine.study;

/// Next-token distributions of a strategy beside those of full attention, both after the same tokens: the prompt
/// and full attention's own answer.
///
/// @param positions compared; the first token's is left out, since prefill is exact under every strategy
/// @param meanKl mean of KL(full || strategy), in nats; NaN without positions
/// @param maxKl the largest
/// @param topOneAgreement share of positions whose likeliest token is the same; NaN without positions
public record Divergence(int positions, double meanKl, double maxKl, double topOneAgreement) {}
