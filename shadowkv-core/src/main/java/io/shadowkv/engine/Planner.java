package io.shadowkv.engine;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.model.Decoder;
import io.shadowkv.op.Backend;
import java.util.List;

/// Computes memory plans, and says no before anything is allocated.
final class Planner {
    private final EngineOptions options;
    private final Backend backend;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final long weightBytes;

    Planner(EngineOptions options, Backend backend, Decoder decoder, CacheStrategy strategy, long weightBytes) {
        this.options = options;
        this.backend = backend;
        this.decoder = decoder;
        this.strategy = strategy;
        this.weightBytes = weightBytes;
    }

    /// The plan of `batch` sequences of up to `contextTokens` tokens, read one prompt after the other.
    MemoryPlan plan(int contextTokens, int batch) {
        return new MemoryPlan(
                options.cache().name(),
                contextTokens,
                batch,
                sequence(contextTokens),
                weightBytes,
                workspaceBytes(contextTokens),
                limit(options.deviceBytes(), Backend.Place.DEVICE),
                limit(options.hostBytes(), Backend.Place.HOST),
                backend.isHostDevice());
    }

    /// Bytes of one sequence.
    MemoryPlan.SequenceBytes sequence(int capacityTokens) {
        List<CacheStrategy.Part> parts = strategy.footprint(capacityTokens);
        return new MemoryPlan.SequenceBytes(
                bytes(parts, Backend.Place.DEVICE),
                bytes(parts, Backend.Place.HOST),
                parts.stream()
                        .map(part -> new MemoryPlan.Part(part.name(), part.bytes(), part.place() == Backend.Place.HOST))
                        .toList());
    }

    /// True if a sequence fits beside those that run.
    ///
    /// @param running sequences that hold memory or are about to be read together with this one
    boolean fitsBeside(List<Sequence> running, int capacityTokens) {
        MemoryPlan plan = plan(capacityTokens, 1);
        MemoryPlan.SequenceBytes wanted = plan.perSequence();
        long device = wanted.resident() + plan.workspaceBytes();
        long host = wanted.offloaded();
        // What the backend reports as available is already less what others hold; a stated limit is not, and
        // neither knows of what was admitted but is not allocated yet.
        for (Sequence sequence : running) {
            MemoryPlan.SequenceBytes planned = sequence.plannedBytes();
            boolean isUnseen = sequence.cache() == null;
            long hostLimit = plan.hostIsDevice() ? options.deviceBytes() : options.hostBytes();
            device += isUnseen || options.deviceBytes() > 0 ? planned.resident() : 0;
            device += isUnseen ? workspaceBytes(sequence.capacity()) : 0;
            host += isUnseen || hostLimit > 0 ? planned.offloaded() : 0;
        }
        return plan.hostIsDevice()
                ? device + host <= plan.availableDeviceBytes()
                : device <= plan.availableDeviceBytes() && host <= plan.availableHostBytes();
    }

    private long workspaceBytes(int tokens) {
        return strategy.promptWorkspaceBytes(tokens) + decoder.prefillBytes(tokens, options.prefillChunk());
    }

    private long limit(long stated, Backend.Place place) {
        return stated > 0 ? stated : backend.availableBytes(place);
    }

    private static long bytes(List<CacheStrategy.Part> parts, Backend.Place place) {
        return parts.stream()
                .filter(part -> part.place() == place)
                .mapToLong(CacheStrategy.Part::bytes)
                .sum();
    }
}
