package io.shadowkv.engine.study;

/// The divergence of a strategy's next-token distributions from those of full attention, after the
/// same tokens: the prompt and the answer of full attention.
///
/// @param positions number of positions compared; the first token is excluded, because prefill is
///     exact under every strategy
/// @param meanKl mean of KL(full || strategy), in nats; NaN without positions
/// @param maxKl maximum of the same
/// @param topOneAgreement share of positions with the same most likely token; NaN without positions
public record Divergence(int positions, double meanKl, double maxKl, double topOneAgreement) {}
