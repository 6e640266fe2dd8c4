package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache;
import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.op.Backend;
import io.shadowkv.op.DenseOperations;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A decoder-only transformer: token ids in, logits out. Reads prompts with [#prefill], then one token a
/// sequence and step with [#decode]. Used by one thread at a time; owns its weights' placement and its
/// activations.
public final class Decoder implements AutoCloseable {
    private final DecoderSpec spec;
    private final Backend backend;
    private final MemoryScope weightScope;
    private final LayerForward forward;
    private @Nullable MemoryScope stepScope;
    private @Nullable StepBuffers buffers;

    private Decoder(DecoderSpec spec, Backend backend, MemoryScope weightScope, DecoderWeights weights) {
        this.spec = spec;
        this.backend = backend;
        this.weightScope = weightScope;
        this.forward = new LayerForward(spec, weights, backend.operations().dense());
    }

    /// Reads the configuration and places the weights.
    ///
    /// @param checkpoint stays open as long as the decoder is used
    /// @throws io.shadowkv.checkpoint.CheckpointException if the family is unknown or a weight is missing or
    ///     misshapen
    public static Decoder load(Checkpoint checkpoint, Backend backend) {
        Family family = Family.of(checkpoint.config());
        DecoderSpec spec = family.spec(checkpoint.config());
        MemoryScope scope = backend.newScope("the weights");
        try {
            WeightNames names = family.weightNames(checkpoint.config());
            return new Decoder(spec, backend, scope, DecoderWeights.load(checkpoint, spec, names, backend, scope));
        } catch (RuntimeException e) {
            scope.close();
            throw e;
        }
    }

    public DecoderSpec spec() {
        return spec;
    }

    /// Reads prompts together; their caches are ready to be sealed afterwards.
    ///
    /// @param chunkRows rows computed at a time; bounds memory, changes nothing else
    /// @param allPositions true for logits of every position, false for each prompt's last
    /// @param sink gets one row [vocabulary] after the other
    public void prefill(
            List<PromptRows> prompts,
            int chunkRows,
            PrefillMonitor monitor,
            boolean allPositions,
            Consumer<float[]> sink) {
        new Prefill(spec, backend, forward, prompts, chunkRows).run(monitor, allPositions, sink);
    }

    /// Bytes of activations while prompts of `tokens` tokens in all are read.
    public long prefillBytes(int tokens, int chunkRows) {
        DType type = backend.activationType(DType.BF16);
        long hidden = (long) tokens * spec.hiddenSize() * type.bytes() + (long) tokens * Integer.BYTES;
        long logits = (long) spec.vocabularySize() * type.bytes();
        return hidden + logits + Workspace.bytes(spec, type, Math.min(chunkRows, tokens));
    }

    /// Runs one step.
    ///
    /// @return one row [vocabulary] for each of the step's logit rows
    public float[][] decode(DecodeStep step, DecodeCache cache) {
        int rows = step.ids().length;
        StepBuffers held = buffers(rows, step.logitRows().length);
        Tensor ids = held.ids().slice(0, rows);
        Tensor hidden = held.hidden().slice(0, rows);
        Workspace work = held.work().first(rows);
        backend.upload(step.ids(), ids);
        forward.embed(ids, hidden);
        for (int layer = 0; layer < spec.layers(); layer++) {
            forward.run(layer, hidden, work, new WaveAttention(step.waves(), cache));
        }
        return logits(step.logitRows(), hidden, work, held);
    }

    private float[][] logits(int[] logitRows, Tensor hidden, Workspace work, StepBuffers step) {
        DenseOperations dense = backend.operations().dense();
        int count = logitRows.length;
        for (int i = 0; i < count; i++) {
            dense.copy(hidden.slice(logitRows[i], 1), work.projected().slice(i, 1));
        }
        if (count == 0) {
            return new float[0][];
        }
        Tensor logits = step.logits().slice(0, count);
        forward.head(work.projected().slice(0, count), work.normed().slice(0, count), logits);
        float[][] rows = new float[count][];
        for (int i = 0; i < count; i++) {
            rows[i] = backend.download(logits.row(i));
        }
        return rows;
    }

    /// Buffers for at least so many rows and logit rows; grown where a step needs more.
    private StepBuffers buffers(int rows, int logitRows) {
        StepBuffers current = buffers;
        if (current == null || current.work().rows() < rows || current.logits().extent(0) < logitRows) {
            closeStepBuffers();
            MemoryScope scope = backend.newScope("activations of " + rows + " decoding rows");
            stepScope = scope;
            current = new StepBuffers(
                    scope.allocate(DType.I32, rows),
                    scope.allocate(backend.activationType(DType.BF16), rows, spec.hiddenSize()),
                    scope.allocate(backend.activationType(DType.BF16), Math.max(1, logitRows), spec.vocabularySize()),
                    Workspace.allocate(spec, backend, scope, rows));
            buffers = current;
        }
        return current;
    }

    private void closeStepBuffers() {
        if (stepScope != null) {
            backend.synchronize();
            stepScope.close();
            stepScope = null;
            buffers = null;
        }
    }

    @Override
    public void close() {
        closeStepBuffers();
        weightScope.close();
    }

    /// @param ids I32 [rows]
    /// @param hidden [rows, hiddenSize]
    /// @param logits [logitRows, vocabulary]
    private record StepBuffers(Tensor ids, Tensor hidden, Tensor logits, Workspace work) {}

    /// Attention of a step: wave after wave, each over what the cache offers.
    private final class WaveAttention implements LayerAttention {
        private final List<DecodeCache.Wave> waves;
        private final DecodeCache cache;

        WaveAttention(List<DecodeCache.Wave> waves, DecodeCache cache) {
            this.waves = waves;
            this.cache = cache;
        }

        @Override
        public void attend(int layer, Tensor queries, Tensor keys, Tensor values, Tensor out) {
            DenseOperations dense = backend.operations().dense();
            double scale = 1 / Math.sqrt(spec.headDim());
            int row = 0;
            for (DecodeCache.Wave wave : waves) {
                int count = wave.rows().count();
                Tensor waveQueries = queries.slice(row, count);
                Tensor waveKeys = keys.slice(row, count);
                dense.rotate(waveQueries, wave.rows().positions(), wave.rotary());
                dense.rotate(waveKeys, wave.rows().positions(), wave.rotary());
                cache.attend(
                        layer, waveQueries, waveKeys, values.slice(row, count), wave, scale, out.slice(row, count));
                row += count;
            }
        }
    }
}
