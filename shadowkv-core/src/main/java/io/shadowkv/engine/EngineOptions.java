package io.shadowkv.engine;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import org.jspecify.annotations.Nullable;

/// Options of an engine: cache strategy, batch size and memory limits.
///
/// @param cache full attention or ShadowKV with its parameters
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
public record EngineOptions(
        KvCacheSpec cache,
        @Nullable DType kvType,
        int prefillRows,
        int maxBatch,
        long deviceBytes,
        long hostBytes,
        ValuePlace valuePlace) {
    public static final EngineOptions DEFAULT =
            new EngineOptions(new KvCacheSpec.Full(), null, 0, 16, 0, 0, ValuePlace.AUTO);

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
    }

    public EngineOptions withCache(KvCacheSpec spec) {
        return new EngineOptions(spec, kvType, prefillRows, maxBatch, deviceBytes, hostBytes, valuePlace);
    }

    public EngineOptions withKvType(@Nullable DType type) {
        return new EngineOptions(cache, type, prefillRows, maxBatch, deviceBytes, hostBytes, valuePlace);
    }

    public EngineOptions withPrefillRows(int rows) {
        return new EngineOptions(cache, kvType, rows, maxBatch, deviceBytes, hostBytes, valuePlace);
    }

    public EngineOptions withMaxBatch(int sequences) {
        return new EngineOptions(cache, kvType, prefillRows, sequences, deviceBytes, hostBytes, valuePlace);
    }

    public EngineOptions withMemoryLimits(long device, long host) {
        return new EngineOptions(cache, kvType, prefillRows, maxBatch, device, host, valuePlace);
    }

    public EngineOptions withValuePlace(ValuePlace place) {
        return new EngineOptions(cache, kvType, prefillRows, maxBatch, deviceBytes, hostBytes, place);
    }

    /// Number of prefill rows on `backend`.
    public int prefillRows(Backend backend) {
        return prefillRows == 0 ? backend.prefillRows() : prefillRows;
    }
}
