package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import org.jspecify.annotations.Nullable;

/// Why a worker gives no answers.
///
/// @param message for people
/// @param isMistake whether asking again cannot help: what was asked is wrong
/// @param refused the sample that is wrong, if it is one; the others may be asked without it
public record Fault(
        String message, boolean isMistake, @Nullable Item refused) {}
