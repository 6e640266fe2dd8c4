package io.shadowkv.engine;

import io.shadowkv.cache.LayerFetches;
import java.util.List;

/// What a sequence had selected and fetched after one of its decode steps.
///
/// @param sequence number of the sequence: sequences are counted as they begin to decode
/// @param tokens tokens of the sequence after the step
/// @param layers layer by layer; empty while attention reads every token
public record SequenceFetches(long sequence, int tokens, List<LayerFetches> layers) {
    public SequenceFetches {
        layers = List.copyOf(layers);
    }
}
