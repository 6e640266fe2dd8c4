package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.Family;
import io.shadowkv.model.spec.WeightNames;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A decoder-only transformer: token ids in, logits out. [#openPrefill] reads prompts, [#decode] reads
/// one or more new tokens per sequence. Used by one thread at a time. Owns the memory of its
/// weights and activations.
public final class Decoder implements AutoCloseable {
    private final DecoderSpec spec;
    private final DType weightType;
    private final DType activationType;
    private final Backend backend;
    private final MemoryScope weightScope;
    private final LayerForward forward;
    private final DecodeForward decodeForward;

    private Decoder(
            DecoderSpec spec,
            DType weightType,
            DType activationType,
            Backend backend,
            MemoryScope weightScope,
            DecoderWeights weights) {
        this.spec = spec;
        this.weightType = weightType;
        this.activationType = activationType;
        this.backend = backend;
        this.weightScope = weightScope;
        this.forward = new LayerForward(spec, weights, backend);
        this.decodeForward = new DecodeForward(spec, activationType, backend, forward);
    }

    /// Reads the configuration and places the weights.
    ///
    /// @param checkpoint must stay open as long as the decoder is used
    /// @param kvType type of keys and values, or null for the type of the weights. F32 also makes a
    ///     backend compute in float that would otherwise compute in the type of the weights
    /// @param precision of the matrices in memory
    /// @param notes receives messages about the weights that the user should see and that are not
    ///     failures
    /// @throws io.shadowkv.checkpoint.CheckpointException if the family is unknown, or a weight is
    ///     missing or has the wrong shape
    /// @throws IllegalArgumentException if `precision` asks for codes and the backend has no kernel
    ///     for them, or the weights are quantised already
    public static Decoder load(
            Checkpoint checkpoint,
            @Nullable DType kvType,
            WeightPrecision precision,
            Backend backend,
            Consumer<String> notes) {
        checkPrecision(checkpoint, precision);
        Family family = Family.of(checkpoint.config());
        DecoderSpec stated = family.spec(checkpoint.config());
        MemoryScope scope = backend.newScope("the weights");
        try {
            WeightNames names = family.weightNames(checkpoint.config());
            WeightLoader loader =
                    new WeightLoader(checkpoint, new WeightEncoder(precision), backend, scope, new AtomicInteger());
            DecoderSpec spec = loader.withOwnHead(stated, names);
            if (spec.tiedEmbeddings() != stated.tiedEmbeddings()) {
                notes.accept(checkpoint.config().source() + ": tie_word_embeddings is true, but " + names.head()
                        + ".weight differs from " + names.embedding() + ".weight; the model's head is " + names.head()
                        + ".weight. Set tie_word_embeddings to false to say so");
            }
            DecoderWeights weights = loader.load(spec, names);
            DType weightType = checkpoint.weightType();
            if (precision != WeightPrecision.STORED) {
                notes.accept(String.format(
                        Locale.ROOT,
                        "the weights were quantised to %s when they were loaded and take %,d bytes of memory; %,d are"
                                + " stored%s",
                        precision,
                        scope.bytes(Backend.Place.DEVICE),
                        checkpoint.weightBytes(),
                        loader.quantisesAll(spec)
                                ? ""
                                : ". Matrices with rows that are not a multiple of 32 stay as they are"));
            }
            if (loader.decodedMatrices() > 0) {
                notes.accept(String.format(
                        Locale.ROOT,
                        "the weights are %s; the %s backend has no kernel for %,d of the matrices, so these were decoded"
                                + " to %s when they were loaded. The weights take %,d bytes of device memory instead of"
                                + " %,d",
                        checkpoint.weightFormat(),
                        backend.name(),
                        loader.decodedMatrices(),
                        weightType,
                        scope.bytes(Backend.Place.DEVICE),
                        checkpoint.weightBytes()));
            }
            DType activationType = backend.activationType(kvType == DType.F32 ? kvType : weightType);
            return new Decoder(spec, weightType, activationType, backend, scope, weights);
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    private static void checkPrecision(Checkpoint checkpoint, WeightPrecision precision) {
        if (precision != WeightPrecision.STORED && checkpoint.isQuantised()) {
            throw new IllegalArgumentException("the weights are quantised already (" + checkpoint.weightFormat()
                    + ") and are not quantised again to " + precision + ". Leave that out");
        }
    }

    /// Creates a decoder of a known shape with random weights, for benchmarks. Equal seeds give
    /// equal weights.
    ///
    /// @param weightType BF16, F16 or F32
    /// @param precision of the matrices in memory; codes and scales are random too
    public static Decoder random(
            DecoderSpec spec, DType weightType, WeightPrecision precision, long seed, Backend backend) {
        MemoryScope scope = backend.newScope("random weights");
        try {
            var encoder = new WeightEncoder(precision);
            DecoderWeights weights = new RandomWeights(spec, weightType, encoder, seed, backend, scope).fill();
            return new Decoder(spec, weightType, backend.activationType(weightType), backend, scope, weights);
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    public DecoderSpec spec() {
        return spec;
    }

    /// The type of most weights.
    public DType weightType() {
        return weightType;
    }

    /// Bytes of weights in the backend's own memory; 0 if it reads the mapped files.
    public long heldWeightBytes() {
        return weightScope.bytes(Backend.Place.DEVICE);
    }

    /// Bytes of the matrices that a decode step of some sequences reads once; of experts, those that
    /// are expected to be chosen.
    public double stepWeightBytes(int batch) {
        return forward.stepBytes(batch);
    }

    /// Opens the prefill of prompts that are read together. Once it is done, their caches can be
    /// sealed. The caller must close it.
    ///
    /// @param prefillRows maximum number of rows to compute at a time; limits memory and does not
    ///     change results
    /// @throws io.shadowkv.op.BackendMemoryException if the memory for activations is not available
    public Prefill openPrefill(List<PromptRows> prompts, int prefillRows) {
        return new Prefill(spec, activationType, backend, forward, prompts, prefillRows);
    }

    /// Bytes of activations during the prefill of `tokens` tokens, summed over prompts.
    public long prefillBytes(int tokens, int prefillRows) {
        long hidden = (long) tokens * spec.hiddenSize() * activationType.bytes() + (long) tokens * Integer.BYTES;
        long logits = (long) spec.vocabularySize() * Float.BYTES;
        return hidden + logits + Workspace.bytes(spec, activationType, Math.min(prefillRows, tokens));
    }

    /// Reserves buffers for steps of `rows` rows, so that a growing batch does not reallocate them.
    public void reserve(int rows) {
        decodeForward.reserve(rows);
    }

    /// Bytes of activations of decode steps of `rows` rows.
    public long decodeBytes(int rows) {
        return DecodeForward.bytes(spec, activationType, rows);
    }

    /// Bytes of activations that are currently allocated for decode steps.
    public long heldDecodeBytes() {
        return decodeForward.heldBytes();
    }

    /// Runs one step.
    public StepResult decode(DecodeStep step, DecodeCache cache) {
        return decodeForward.run(step, cache);
    }

    @Override
    public void close() {
        decodeForward.close();
        weightScope.close();
    }
}
