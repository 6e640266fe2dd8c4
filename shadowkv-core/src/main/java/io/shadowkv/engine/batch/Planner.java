package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlan.Item;
import io.shadowkv.engine.MemoryPlan.Limits;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.model.Decoder;
import io.shadowkv.model.RotaryTables;
import io.shadowkv.op.Backend;
import java.util.List;

/// Computes memory plans, says no before anything is allocated, and decides how many layers of a sequence keep
/// their values in device memory.
public final class Planner {
    private final EngineOptions options;
    private final Backend backend;
    private final Decoder decoder;
    private final CacheStrategy strategy;
    private final RotaryTables rotary;
    private final long weightBytes;
    private long idleDeviceBytes;
    private long idleHostBytes;

    public Planner(
            EngineOptions options,
            Backend backend,
            Decoder decoder,
            CacheStrategy strategy,
            RotaryTables rotary,
            long weightBytes) {
        this.options = options;
        this.backend = backend;
        this.decoder = decoder;
        this.strategy = strategy;
        this.rotary = rotary;
        this.weightBytes = weightBytes;
    }

    /// The plan of `batch` sequences of up to `contextTokens` tokens, read one prompt after the other.
    public MemoryPlan plan(int contextTokens, int batch) {
        Limits limits = limits();
        return new MemoryPlan(
                options.cache().name(),
                contextTokens,
                batch,
                planned(contextTokens, batch, limits).bytes(),
                weightBytes,
                decoder.heldWeightBytes(),
                workspace(contextTokens, batch),
                limits,
                largestBatch(contextTokens, limits));
    }

    /// What one of `batch` sequences of up to `capacityTokens` tokens gets; of as many as fit if that is fewer.
    public PlannedSequence sequence(int capacityTokens, int batch) {
        Limits limits = limits();
        int together = Math.clamp(largestBatch(capacityTokens, limits), 1, batch);
        return planned(capacityTokens, together, limits);
    }

    /// Takes note of caches that no running sequence uses: under a stated limit their bytes count as well.
    public void holdIdle(List<SequenceCache> idle) {
        idleDeviceBytes = idle.stream()
                .mapToLong(cache -> cache.bytes(Backend.Place.DEVICE))
                .sum();
        idleHostBytes = idle.stream()
                .mapToLong(cache -> cache.bytes(Backend.Place.HOST))
                .sum();
    }

    /// @throws MemoryPlanException if a sequence of that capacity does not fit when nothing else runs
    public void checkFits(int capacityTokens) {
        MemoryPlan plan = plan(capacityTokens, 1);
        if (!plan.isAdmitted()) {
            throw new MemoryPlanException(plan.refusal());
        }
    }

    /// Why a sequence does not fit although nothing runs.
    public String refusal(int capacityTokens) {
        MemoryPlan plan = plan(capacityTokens, 1);
        return plan.isAdmitted()
                ? "a sequence of up to %,d tokens fits the memory limit, but idle conversations hold %,d bytes of it. Close"
                                .formatted(capacityTokens, idleDeviceBytes + idleHostBytes)
                        + " conversations, or raise the limit"
                : plan.refusal();
    }

    /// True if a sequence fits in addition to those that run.
    ///
    /// @param running sequences that hold memory or are about to be read together with this one
    public boolean fitsBeside(List<Sequence> running, PlannedSequence wanted) {
        Limits limits = limits();
        int capacity = wanted.size().capacityTokens();
        long device = wanted.bytes().resident() + bytes(workspace(capacity, 1));
        long host = wanted.bytes().offloaded();
        boolean hostIsLimited = (limits.hostIsDevice() ? options.deviceBytes() : options.hostBytes()) > 0;
        device += options.deviceBytes() > 0 ? idleDeviceBytes : 0;
        host += hostIsLimited ? idleHostBytes : 0;
        // What the backend reports as available is already less what others hold; a stated limit is not, and
        // neither knows of what was admitted but is not allocated yet.
        for (Sequence sequence : running) {
            SequenceBytes planned = sequence.planned().bytes();
            boolean isUnseen = sequence.cache() == null;
            device += isUnseen || options.deviceBytes() > 0 ? planned.resident() : 0;
            device += isUnseen ? promptBytes(sequence.planned().size().capacityTokens()) : 0;
            host += isUnseen || hostIsLimited ? planned.offloaded() : 0;
        }
        return fits(device, host, limits);
    }

    private static boolean fits(long device, long host, Limits limits) {
        return limits.hostIsDevice()
                ? device + host <= limits.deviceBytes()
                : device <= limits.deviceBytes() && host <= limits.hostBytes();
    }

    private PlannedSequence planned(int capacityTokens, int batch, Limits limits) {
        SequenceSize size = new SequenceSize(capacityTokens, deviceValueLayers(capacityTokens, batch, limits));
        return new PlannedSequence(size, bytesOf(size));
    }

    /// Layers whose values lie in device memory when `batch` sequences share it: what the rest leaves free.
    private int deviceValueLayers(int capacityTokens, int batch, Limits limits) {
        int layers = decoder.spec().layers();
        return switch (options.valuePlace()) {
            case HOST -> 0;
            case DEVICE -> layers;
            case AUTO -> {
                SequenceBytes bytes = bytesOf(SequenceSize.of(capacityTokens));
                long layerBytes = bytes.offloaded() / layers;
                if (limits.hostIsDevice() || layerBytes == 0) {
                    yield 0;
                }
                long share = (limits.deviceBytes() - bytes(workspace(capacityTokens, batch))) / batch;
                yield Math.clamp((share - bytes.resident()) / layerBytes, 0, layers);
            }
        };
    }

    /// Sequences that fit. Every further one takes more of both memories, so the first that does not fit ends it.
    private int largestBatch(int capacityTokens, Limits limits) {
        long least = bytesOf(SequenceSize.of(capacityTokens)).resident();
        int fitting = 0;
        int tooMany = (int) Math.min(Integer.MAX_VALUE, limits.deviceBytes() / Math.max(1, least) + 1);
        while (tooMany - fitting > 1) {
            int middle = fitting + (tooMany - fitting) / 2;
            if (fits(capacityTokens, middle, limits)) {
                fitting = middle;
            } else {
                tooMany = middle;
            }
        }
        return fitting;
    }

    private boolean fits(int capacityTokens, int batch, Limits limits) {
        SequenceBytes one = planned(capacityTokens, batch, limits).bytes();
        long device = one.resident() * batch + bytes(workspace(capacityTokens, batch));
        return fits(device, one.offloaded() * batch, limits);
    }

    private SequenceBytes bytesOf(SequenceSize size) {
        List<CacheStrategy.Allocation> parts = strategy.footprint(size);
        return new SequenceBytes(
                bytes(parts, Backend.Place.DEVICE),
                bytes(parts, Backend.Place.HOST),
                parts.stream()
                        .map(part -> new Item(part.name(), part.bytes(), part.place() == Backend.Place.HOST))
                        .toList());
    }

    /// What the engine needs beside sequences. Tables and step buffers that are held already count again where the
    /// backend is asked for what is available: little, and on the safe side.
    private List<Item> workspace(int tokens, int batch) {
        int rows = backend.rowBucket(Math.max(batch, options.maxBatch()));
        return List.of(
                new Item(MemoryPlan.PROMPT_BEING_READ, promptBytes(tokens), false),
                new Item("rotary tables", rotary.bytes(tokens), false),
                new Item(
                        "decode step",
                        decoder.decodeBytes(rows) + strategy.decodeBytes(rows, tokens) + StepBuilder.bytes(rows),
                        false));
    }

    private long promptBytes(int tokens) {
        return strategy.promptWorkspaceBytes(tokens) + decoder.prefillBytes(tokens, options.prefillRows(backend));
    }

    private static long bytes(List<Item> parts) {
        return parts.stream().mapToLong(Item::bytes).sum();
    }

    private static long bytes(List<CacheStrategy.Allocation> parts, Backend.Place place) {
        return parts.stream()
                .filter(part -> part.place() == place)
                .mapToLong(CacheStrategy.Allocation::bytes)
                .sum();
    }

    private Limits limits() {
        return new Limits(
                limit(options.deviceBytes(), Backend.Place.DEVICE),
                limit(options.hostBytes(), Backend.Place.HOST),
                backend.isHostDevice());
    }

    private long limit(long stated, Backend.Place place) {
        return stated > 0 ? stated : backend.availableBytes(place);
    }
}
