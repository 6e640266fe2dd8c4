package io.shadowkv.engine.model;

import io.shadowkv.cache.CacheShape;
import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PatternTrials;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A model in a backend's memory: decoder, rotary tables, tokenizer and limits. Everything that reads
/// prompts or decodes gets this one object. Owns the decoder, the tables and the text; does not close
/// the backend.
public final class LoadedModel implements AutoCloseable {
    private final ModelText text;
    private final long weightBytes;
    private final Backend backend;
    private final Decoder decoder;
    private final CacheShape shape;
    private final RequestLimits limits;
    private final Supplier<String> weightsId;
    private final MemoryScope tableScope;
    private final RotaryTables rotary;

    /// @param weightBytes bytes of the weights on disk
    /// @param kvType type of keys and values; null means the type of the weights
    /// @param weightsId identifies the weights; called at first use
    public LoadedModel(
            ModelText text,
            long weightBytes,
            Backend backend,
            Decoder decoder,
            @Nullable DType kvType,
            Supplier<String> weightsId) {
        this.text = text;
        this.weightBytes = weightBytes;
        this.weightsId = weightsId;
        this.backend = backend;
        this.decoder = decoder;
        var spec = decoder.spec();
        this.shape = new CacheShape(
                spec.layers(),
                spec.queryHeads(),
                spec.kvHeads(),
                spec.headDim(),
                spec.scales().attention(),
                kvType == null ? decoder.weightType() : kvType);
        this.limits = RequestLimits.of(spec);
        this.tableScope = backend.newScope("rotary tables");
        this.rotary = new RotaryTables(spec, backend, tableScope);
    }

    /// Opens a checkpoint folder.
    ///
    /// @throws io.shadowkv.checkpoint.CheckpointException if this engine cannot read the folder
    public static LoadedModel open(Path folder, Backend backend, EngineOptions options) {
        Checkpoint checkpoint = Checkpoint.open(folder);
        try {
            List<String> notes = new ArrayList<>(checkpoint.notes());
            Decoder decoder = Decoder.load(checkpoint, options.kvType(), options.weights(), backend, notes::add);
            ModelText text = new ModelText(checkpoint, notes, decoder.spec().vocabularySize());
            long bytes = checkpoint.weightBytes();
            return new LoadedModel(text, bytes, backend, decoder, options.kvType(), checkpoint::fingerprint);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /// Creates random weights of a known shape, without a tokenizer.
    ///
    /// @param weightType BF16, F16 or F32
    /// @param seed seed of the weights; equal seeds give equal weights on every backend
    public static LoadedModel random(
            DecoderSpec spec, DType weightType, long seed, Backend backend, EngineOptions options) {
        Decoder decoder = Decoder.random(spec, weightType, options.weights(), seed, backend);
        ModelText text = new ModelText(null, List.of(), spec.vocabularySize());
        long bytes = decoder.heldWeightBytes();
        return new LoadedModel(text, bytes, backend, decoder, options.kvType(), () -> "random, seed " + seed);
    }

    public ModelText text() {
        return text;
    }

    public long weightBytes() {
        return weightBytes;
    }

    /// Identifies the weights: equal for equal weights, also of another process.
    public String weightsId() {
        return weightsId.get();
    }

    public Backend backend() {
        return backend;
    }

    public Decoder decoder() {
        return decoder;
    }

    /// Shape of the caches, with the type of keys and values.
    public CacheShape shape() {
        return shape;
    }

    public RequestLimits limits() {
        return limits;
    }

    public RotaryTables rotary() {
        return rotary;
    }

    /// Opens the cache strategy of an engine that owns this model; closes the model if the strategy does
    /// not fit it.
    public CacheStrategy strategyOrClose(KvCacheSpec spec, PrefillSpec prefill) {
        try {
            return strategy(spec, prefill);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /// Opens a cache strategy for this model.
    ///
    /// @throws IllegalArgumentException if the strategy or the way of reading does not fit the model or
    ///     the backend
    public CacheStrategy strategy(KvCacheSpec spec, PrefillSpec prefill) {
        return CacheStrategies.open(spec, prefill, shape, backend);
    }

    /// Opens a strategy that reads exactly while `trials` receives what candidates of patterns would keep
    /// of `rows` rows of a text.
    public CacheStrategy trying(PatternTrials trials, int rows) {
        return CacheStrategies.trying(trials, rows, shape, backend);
    }

    @Override
    public void close() {
        decoder.close();
        tableScope.close();
        text.close();
    }
}
