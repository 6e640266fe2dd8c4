package io.shadowkv.engine.study;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.batch.Planner;
import io.shadowkv.engine.batch.Reading;
import io.shadowkv.engine.model.LoadedModel;
import java.util.List;
import java.util.function.DoubleConsumer;

/// Reads texts to find the pattern of each head for MInference's prefill: exactly, with the host
/// measuring what candidates would keep.
public final class PatternSearch {
    private final LoadedModel model;
    private final EngineOptions options;

    public PatternSearch(LoadedModel model, EngineOptions options) {
        this.model = model;
        this.options = options.withCache(new KvCacheSpec.Full()).withPrefill(new PrefillSpec.Exact());
    }

    /// Reads one text.
    ///
    /// @param trials receives what candidates keep; incomplete if this ends with an exception
    /// @param rows number of rows that are measured, spread over the text
    /// @param progress receives the completed share; an exception ends the reading
    /// @return `trials`
    /// @throws IllegalArgumentException if the text is too short
    /// @throws io.shadowkv.engine.MemoryPlanException if it does not fit the memory
    public PatternTrials read(int[] ids, PatternTrials trials, int rows, DoubleConsumer progress) {
        model.limits().checkIds(ids);
        model.limits().checkContext(ids.length, "a text of " + ids.length + " tokens");
        CacheStrategy strategy = model.trying(trials, rows);
        new Planner(model, options, strategy).checkFits(ids.length, 1);
        var prompt = new Reading.Prompt(ids, SequenceSize.of(ids.length));
        try (Reading reading = Reading.open(model, strategy, List.of(prompt), options.prefillRows(model.backend()))) {
            reading.run(progress);
        }
        return trials;
    }
}
