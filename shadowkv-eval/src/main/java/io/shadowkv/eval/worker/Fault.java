package io.shadowkv.eval.worker;

/// Why a worker gives no answers.
///
/// @param message for people
/// @param isMistake whether asking again cannot help: what was asked is wrong
public record Fault(String message, boolean isMistake) {}
