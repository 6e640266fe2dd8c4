package io.shadowkv.server.generate;

import io.shadowkv.engine.GenerationEvent;
import org.jspecify.annotations.Nullable;

/// An event of one of the generations of a request. Has an event or a failure.
///
/// @param choice index of the generation among those of the request
public record ChoiceEvent(
        int choice,
        @Nullable GenerationEvent event,
        @Nullable RuntimeException failure) {}
