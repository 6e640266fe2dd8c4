package io.shadowkv.engine;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.prefill.PrefillSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Options of an engine: cache strategy, batch size and memory limits.
///
/// @param cache full attention or ShadowKV with its parameters
/// @param prefill which keys the rows of a prompt attend to while it is read
/// @param kvType type of keys and values, F32, BF16 or F16; null means the type of the checkpoint's
///     weights
/// @param prefillRows rows of the prompt computed at a time; affects the memory for activations but
///     not the results; 0 means the backend's default
/// @param maxBatch maximum number of sequences that decode together
/// @param deviceBytes bytes of device memory that the plan may use in addition to the weights; 0
///     means what the backend reports as available
/// @param hostBytes bytes of host memory that the plan may use; 0 means what the backend reports as
///     available
/// @param valuePlace where offloaded values are stored
/// @param maxWaiting maximum number of submitted requests that wait for their turn; a further one is
///     refused
/// @param readingGap longest gap between two tokens of a sequence while prompts of others are read, if
///     that is possible. A longer gap reads prompts faster. A backend that can be divided reads on a
///     part of its processors; another one reads between two steps
/// @param keptPrompts maximum number of sequences that are kept after their end, so that a request
///     that begins with their tokens does not read them again; the least recently used are freed
///     where others need the memory. The tokens that follow are read as a later turn of a
///     conversation is. 0 keeps none
/// @param weights precision in which the backend keeps the weights
/// @param growth how much memory a sequence has at first, and by how much it grows
public record EngineOptions(
        KvCacheSpec cache,
        PrefillSpec prefill,
        @Nullable DType kvType,
        int prefillRows,
        int maxBatch,
        long deviceBytes,
        long hostBytes,
        ValuePlace valuePlace,
        int maxWaiting,
        Duration readingGap,
        int keptPrompts,
        WeightPrecision weights,
        Growth growth) {
    /// The memory of a sequence that may have a long answer.
    ///
    /// @param answerTokens new tokens that it has memory for when its prompt is read
    /// @param extentTokens tokens by which it grows when these are used; more for a sequence that
    ///     would otherwise need more than 32 extents
    public record Growth(int answerTokens, int extentTokens) {
        public Growth {
            if (answerTokens < 1 || extentTokens < 1) {
                throw new IllegalArgumentException("a sequence begins with memory for " + answerTokens
                        + " new tokens and grows by " + extentTokens + "; expected 1 or more of both");
            }
        }
    }

    public static final EngineOptions DEFAULT = new EngineOptions(
            new KvCacheSpec.Full(),
            new PrefillSpec.Exact(),
            null,
            0,
            16,
            0,
            0,
            ValuePlace.AUTO,
            1024,
            Duration.ofMillis(50),
            0,
            WeightPrecision.STORED,
            new Growth(1024, 4096));

    public EngineOptions {
        if (kvType != null && kvType != DType.F32 && kvType != DType.BF16 && kvType != DType.F16) {
            throw new IllegalArgumentException("keys and values cannot be " + kvType + "; expected F32, BF16 or F16");
        }
        if (prefillRows < 0) {
            throw new IllegalArgumentException("number of prefill rows is " + prefillRows
                    + "; expected 1 or more, or 0 for the backend's default");
        }
        if (maxBatch < 1) {
            throw new IllegalArgumentException("batch is " + maxBatch + " sequences; expected 1 or more");
        }
        if (deviceBytes < 0 || hostBytes < 0) {
            throw new IllegalArgumentException("memory limits are " + deviceBytes + " and " + hostBytes
                    + " bytes; expected 0 (ask the backend) or more");
        }
        if (maxWaiting < 1) {
            throw new IllegalArgumentException("max waiting is " + maxWaiting + " requests; expected 1 or more");
        }
        if (keptPrompts < 0) {
            throw new IllegalArgumentException("kept prompts are " + keptPrompts + "; expected 0 or more");
        }
        if (!readingGap.isPositive()) {
            throw new IllegalArgumentException("reading gap is " + readingGap + "; expected a positive duration");
        }
    }

    public EngineOptions withCache(KvCacheSpec spec) {
        return with(draft -> draft.cache = spec);
    }

    public EngineOptions withPrefill(PrefillSpec spec) {
        return with(draft -> draft.prefill = spec);
    }

    public EngineOptions withKvType(@Nullable DType type) {
        return with(draft -> draft.kvType = type);
    }

    public EngineOptions withPrefillRows(int rows) {
        return with(draft -> draft.prefillRows = rows);
    }

    public EngineOptions withMaxBatch(int sequences) {
        return with(draft -> draft.maxBatch = sequences);
    }

    public EngineOptions withMemoryLimits(long device, long host) {
        return with(draft -> {
            draft.deviceBytes = device;
            draft.hostBytes = host;
        });
    }

    public EngineOptions withValuePlace(ValuePlace place) {
        return with(draft -> draft.valuePlace = place);
    }

    public EngineOptions withMaxWaiting(int requests) {
        return with(draft -> draft.maxWaiting = requests);
    }

    public EngineOptions withReadingGap(Duration gap) {
        return with(draft -> draft.readingGap = gap);
    }

    public EngineOptions withKeptPrompts(int sequences) {
        return with(draft -> draft.keptPrompts = sequences);
    }

    public EngineOptions withGrowth(Growth memory) {
        return with(draft -> draft.growth = memory);
    }

    public EngineOptions withWeights(WeightPrecision precision) {
        return with(draft -> draft.weights = precision);
    }

    private EngineOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.options();
    }

    /// The components of a copy until they are complete.
    private static final class Draft {
        private KvCacheSpec cache;
        private PrefillSpec prefill;
        private @Nullable DType kvType;
        private int prefillRows;
        private int maxBatch;
        private long deviceBytes;
        private long hostBytes;
        private ValuePlace valuePlace;
        private int maxWaiting;
        private Duration readingGap;
        private int keptPrompts;
        private WeightPrecision weights;
        private Growth growth;

        Draft(EngineOptions options) {
            cache = options.cache;
            prefill = options.prefill;
            kvType = options.kvType;
            prefillRows = options.prefillRows;
            maxBatch = options.maxBatch;
            deviceBytes = options.deviceBytes;
            hostBytes = options.hostBytes;
            valuePlace = options.valuePlace;
            maxWaiting = options.maxWaiting;
            readingGap = options.readingGap;
            keptPrompts = options.keptPrompts;
            weights = options.weights;
            growth = options.growth;
        }

        EngineOptions options() {
            return new EngineOptions(
                    cache,
                    prefill,
                    kvType,
                    prefillRows,
                    maxBatch,
                    deviceBytes,
                    hostBytes,
                    valuePlace,
                    maxWaiting,
                    readingGap,
                    keptPrompts,
                    weights,
                    growth);
        }
    }

    /// Number of prefill rows on `backend`, at least those that the way of reading needs.
    public int prefillRows(Backend backend) {
        return Math.max(prefill.leastRows(), prefillRows == 0 ? backend.prefillRows() : prefillRows);
    }
}
