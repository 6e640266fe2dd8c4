package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import org.jspecify.annotations.Nullable;

/// Why a worker has no answers.
///
/// @param message a message for the user
/// @param isMistake true if the request is wrong, so that asking again cannot help
/// @param refused the sample that cannot be asked, if there is one; the others may be asked without
///     it
public record Fault(
        String message, boolean isMistake, @Nullable Item refused) {}
