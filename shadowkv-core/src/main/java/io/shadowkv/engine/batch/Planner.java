package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.MemoryInUse;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.MemoryPlan.Item;
import io.shadowkv.engine.MemoryPlan.Limits;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.MemoryPlanException;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.engine.model.LoadedModel;
import io.shadowkv.op.Backend;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Computes memory plans, refuses requests before anything is allocated, and decides how many
/// layers of a sequence keep their values in device memory.
public final class Planner {
    private final EngineOptions options;
    private final LoadedModel model;
    private final Backend backend;
    private final CacheStrategy strategy;
    private @Nullable Ledger ledger;

    /// @param options cache, limits and places of values
    /// @param strategy the strategy of `options`
    public Planner(LoadedModel model, EngineOptions options, CacheStrategy strategy) {
        this.model = model;
        this.options = options;
        this.backend = model.backend();
        this.strategy = strategy;
    }

    /// From now on plans are for an engine that holds nothing but what must stay: what the backend
    /// reports as available, and what the sequences of `sequences` will give back.
    void counts(Ledger sequences) {
        ledger = sequences;
    }

    /// Returns the plan for `batch` sequences of up to `contextTokens` tokens whose prompts are
    /// read one after the other.
    public MemoryPlan plan(int contextTokens, int batch) {
        Limits limits = limits();
        return new MemoryPlan(
                options.cache().name(),
                contextTokens,
                batch,
                planned(contextTokens, batch, limits).bytes(),
                model.weightBytes(),
                model.decoder().heldWeightBytes(),
                workspace(contextTokens, batch),
                limits,
                largestBatch(contextTokens, limits));
    }

    /// Returns the memory of one of `batch` sequences of up to `capacityTokens` tokens, or of one
    /// of as many as fit if these are fewer.
    public PlannedSequence sequence(int capacityTokens, int batch) {
        Limits limits = limits();
        int together = Math.clamp(largestBatch(capacityTokens, limits), 1, batch);
        return planned(capacityTokens, together, limits);
    }

    /// Returns the memory that a sequence has at first: for `tokens` tokens and the first part of its
    /// answer. [#sized] has what it grows to.
    public PlannedSequence growing(int tokens, int capacityTokens, int batch) {
        EngineOptions.Growth growth = options.growth();
        int first = (int) Math.min(capacityTokens, (long) tokens + growth.answerTokens());
        return sized(sequence(capacityTokens, batch), size -> size.growing(first, growth.extentTokens()));
    }

    /// Returns the memory of a sequence of another size.
    PlannedSequence sized(PlannedSequence planned, UnaryOperator<SequenceSize> change) {
        SequenceSize size = change.apply(planned.size());
        return new PlannedSequence(size, bytesOf(size), planned.sharedTokens());
    }

    /// The memory that the reading of turns needs: that of sequences which are not allocated yet, and the
    /// workspace of a prompt, which [#fits] adds. Turns that are read together restore what
    /// they share once, so they need one workspace: keys and values of the longest sequence, and
    /// activations of all new tokens. The workspace of a prompt of as many tokens as the larger of the
    /// two has both.
    ///
    /// @param sequences bytes of sequences that are not allocated yet
    /// @param longest tokens of the longest sequence, those of its turn included
    /// @param rows new tokens of all turns
    static PlannedSequence turns(SequenceBytes sequences, int longest, int rows) {
        int tokens = Math.max(longest, rows);
        return new PlannedSequence(SequenceSize.of(tokens), sequences, tokens);
    }

    /// @throws MemoryPlanException if `batch` sequences of that capacity do not fit even if nothing
    ///     else runs
    public void checkFits(int capacityTokens, int batch) {
        MemoryPlan plan = plan(capacityTokens, batch);
        if (!plan.isAdmitted()) {
            throw new MemoryPlanException(plan.refusal());
        }
    }

    /// The message that says why a sequence does not fit although nothing runs.
    ///
    /// @param idle bytes of conversations and documents
    public String refusal(int capacityTokens, SequenceBytes idle) {
        MemoryPlan plan = plan(capacityTokens, 1);
        return plan.isAdmitted()
                ? "a sequence of up to %,d tokens fits the memory limit, but idle conversations and documents hold %,d bytes of it. Close"
                                .formatted(capacityTokens, idle.resident() + idle.offloaded())
                        + " some of them, or raise the limit"
                : plan.refusal();
    }

    /// True if a sequence fits in addition to others.
    ///
    /// @param admitted sequences that are not allocated yet
    /// @param held sequences that are allocated and read
    /// @param read sequences that are allocated and being read
    /// @param freed those of `held` that would be freed before
    boolean fits(
            PlannedSequence wanted,
            Collection<PlannedSequence> admitted,
            Collection<PlannedSequence> held,
            Collection<PlannedSequence> read,
            Collection<PlannedSequence> freed) {
        Limits limits = availableNow();
        int capacity = wanted.size().capacityTokens();
        long device = wanted.bytes().resident() + bytes(workspace(capacity, 1)) - promptBytes(capacity);
        device += wanted.isRead() ? promptBytes(wanted.size().reservedTokens()) : 0;
        long host = wanted.bytes().offloaded();
        for (PlannedSequence sequence : admitted) {
            device += sequence.bytes().resident();
            device += sequence.isRead() ? promptBytes(sequence.size().reservedTokens()) : 0;
            host += sequence.bytes().offloaded();
        }
        // The memory that the backend reports as available excludes what is allocated; a stated
        // limit does not.
        boolean hostIsLimited = (limits.hostIsDevice() ? options.deviceBytes() : options.hostBytes()) > 0;
        List<PlannedSequence> allocated = new ArrayList<>(held);
        allocated.addAll(read);
        for (PlannedSequence sequence : allocated) {
            device += options.deviceBytes() > 0 ? sequence.bytes().resident() : 0;
            host += hostIsLimited ? sequence.bytes().offloaded() : 0;
        }
        for (PlannedSequence sequence : read) {
            device += options.deviceBytes() > 0 ? promptBytes(sequence.size().reservedTokens()) : 0;
        }
        for (PlannedSequence sequence : freed) {
            device -= sequence.bytes().resident();
            host -= sequence.bytes().offloaded();
        }
        boolean needsHostOnly = !wanted.isRead() && wanted.bytes().resident() == 0;
        return needsHostOnly && !limits.hostIsDevice() ? host <= limits.hostBytes() : fits(device, host, limits);
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

    /// Number of layers whose values fit in device memory next to everything else when `batch`
    /// sequences share it.
    private int deviceValueLayers(int capacityTokens, int batch, Limits limits) {
        int layers = model.decoder().spec().layers();
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

    /// The largest number of sequences that fit. Each further sequence needs more of both memories,
    /// so a binary search finds it.
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

    /// The memory that the engine needs in addition to sequences. If the limit is what the backend
    /// reports as available, existing tables and step buffers count twice; the error is small and
    /// on the safe side.
    private List<Item> workspace(int tokens, int batch) {
        int rows = backend.rowBucket(Math.max(batch, options.maxBatch()));
        return List.of(
                new Item(MemoryPlan.PROMPT_BEING_READ, promptBytes(tokens), false),
                new Item("rotary tables", model.rotary().bytes(tokens), false),
                new Item(
                        "decode step",
                        model.decoder().decodeBytes(rows)
                                + strategy.decodeBytes(rows, tokens)
                                + StepBuilder.bytes(rows),
                        false),
                new Item("drawn tokens", BatchSampler.bytes(rows, model.limits().vocabularySize()), false));
    }

    private long promptBytes(int tokens) {
        return strategy.promptWorkspaceBytes(tokens)
                + model.decoder().prefillBytes(tokens, options.prefillRows(backend));
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

    /// The memory of all sequences. Thread-safe.
    public MemoryInUse inUse() {
        Ledger counted = ledger;
        return counted == null
                ? new MemoryInUse(0, 0, 0, limits())
                : new MemoryInUse(
                        counted.heldBytes(Backend.Place.DEVICE),
                        counted.heldBytes(Backend.Place.HOST),
                        counted.heldTokens(),
                        limits());
    }

    /// The limits when every sequence has ended.
    private Limits limits() {
        return new Limits(
                limit(options.deviceBytes(), Backend.Place.DEVICE),
                limit(options.hostBytes(), Backend.Place.HOST),
                backend.isHostDevice());
    }

    private long limit(long stated, Backend.Place place) {
        return stated > 0 ? stated : held(place) + backend.availableBytes(place);
    }

    private long held(Backend.Place place) {
        Ledger counted = ledger;
        if (counted == null) {
            return 0;
        }
        return backend.isHostDevice()
                ? counted.heldBytes(Backend.Place.DEVICE) + counted.heldBytes(Backend.Place.HOST)
                : counted.heldBytes(place);
    }

    private Limits availableNow() {
        return new Limits(
                options.deviceBytes() > 0 ? options.deviceBytes() : backend.availableBytes(Backend.Place.DEVICE),
                options.hostBytes() > 0 ? options.hostBytes() : backend.availableBytes(Backend.Place.HOST),
                backend.isHostDevice());
    }
}
