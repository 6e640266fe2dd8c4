package io.shadowkv.model;

import io.shadowkv.cache.LayerRotaries;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.model.spec.Scales.QueryScale;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Cosines and sines for all positions that admitted sequences may reach, in a backend's memory.
/// Admitting a longer sequence extends the tables. Angles are computed in double: at a million
/// positions a float angle has an error of 0.06.
///
/// A layer without rotation has a table of zero angles, with the layout of the others: cache strategies
/// then treat all layers alike, and its keys pass through exactly.
///
/// There are two tables for longrope (short and long sequences) and one otherwise. Not thread-safe:
/// used by the engine's thread only.
public final class RotaryTables {
    private static final int GROWTH = 4096;

    private final DecoderSpec decoder;
    private final RopeSpec spec;
    private final Backend backend;
    private final MemoryScope scope;
    private @Nullable LayerRotaries shortTable;
    private @Nullable LayerRotaries longTable;
    private final Set<LayerRotaries> longTables = new HashSet<>();

    /// @param scope owner of the tables; old tables, together smaller than the newest, are kept
    ///     until it is closed
    public RotaryTables(DecoderSpec decoder, Backend backend, MemoryScope scope) {
        this.decoder = decoder;
        this.spec = decoder.rope();
        this.backend = backend;
        this.scope = scope;
    }

    /// Returns the table for a sequence that starts with `tokens` tokens and may reach `capacity`.
    /// A short sequence keeps its table up to the limit of short sequences.
    public LayerRotaries forSequence(int tokens, int capacity) {
        return forLength(isShort(tokens) ? Math.min(capacity, spec.shortLimit()) : capacity);
    }

    /// True if a sequence of `tokens` tokens uses the frequencies of short sequences.
    public boolean isShort(int tokens) {
        return tokens <= spec.shortLimit();
    }

    /// Returns the table for a sequence of `tokens` tokens; it covers at least as many positions.
    public LayerRotaries forLength(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        LayerRotaries table = isLong ? longTable : shortTable;
        if (table == null || table.positions() < tokens) {
            table = build(positions(table == null ? 0 : table.positions(), tokens, isLong), isLong);
            if (isLong) {
                longTable = table;
                longTables.add(table);
            } else {
                shortTable = table;
            }
        }
        return table;
    }

    /// Returns the longest table of the same kind. It has the same rows as `table` and more, so that
    /// sequences of any capacities can share a wave.
    ///
    /// @param table one of these tables
    public LayerRotaries latest(LayerRotaries table) {
        LayerRotaries longest = longTables.contains(table) ? longTable : shortTable;
        return longest == null ? table : longest;
    }

    /// Bytes of the table that a sequence of up to `tokens` tokens needs if no table for a longer
    /// sequence exists.
    public long bytes(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        long row = (hasUnrotatedLayer() ? 2L : 1L) * spec.rotaryDim()
                + (decoder.scales().queries() == null ? 0 : 1);
        return positions(0, tokens, isLong) * row * Float.BYTES;
    }

    /// Bytes of all current tables.
    public long heldBytes() {
        return scope.bytes(Backend.Place.DEVICE);
    }

    /// Number of positions of a new table: more than requested, and at least twice as many as
    /// before, so that few tables are created.
    private int positions(int old, int tokens, boolean isLong) {
        int positions = Math.max(Math.multiplyExact(old, 2), Math.ceilDiv(tokens, GROWTH) * GROWTH);
        return isLong ? positions : Math.min(positions, spec.shortLimit());
    }

    private boolean hasUnrotatedLayer() {
        return decoder.layerSpecs().stream().anyMatch(layer -> layer.rope() == null);
    }

    private LayerRotaries build(int positions, boolean isLong) {
        double factor = spec.scaling().attentionFactor();
        Rotary turning = table(positions, spec.frequencies(isLong), factor);
        Rotary still = hasUnrotatedLayer() ? table(positions, new double[spec.rotaryDim() / 2], 1) : turning;
        List<Rotary> layers = new ArrayList<>();
        for (LayerSpec layer : decoder.layerSpecs()) {
            layers.add(layer.rope() == null ? still : turning);
        }
        QueryScale scale = decoder.scales().queries();
        return new LayerRotaries(layers, scale == null ? null : factors(positions, scale));
    }

    private Tensor factors(int positions, QueryScale scale) {
        Tensor factors = scope.allocate(DType.F32, positions);
        try (Arena arena = Arena.ofConfined()) {
            Tensor host = Tensor.of(DType.F32, factors.shape(), arena.allocate(factors.byteSize(), 64));
            for (int position = 0; position < positions; position++) {
                Floats.set(DType.F32, host.segment(), position, scale.factor(position));
            }
            backend.operations().dense().copy(host, factors);
            backend.synchronize();
        }
        return factors;
    }

    private Rotary table(int positions, double[] frequencies, double factor) {
        int half = frequencies.length;
        Tensor cosines = scope.allocate(DType.F32, positions, half);
        Tensor sines = scope.allocate(DType.F32, positions, half);
        try (Arena arena = Arena.ofConfined()) {
            Tensor hostCosines = Tensor.of(DType.F32, cosines.shape(), arena.allocate(cosines.byteSize(), 64));
            Tensor hostSines = Tensor.of(DType.F32, sines.shape(), arena.allocate(sines.byteSize(), 64));
            var cosineBytes = hostCosines.segment();
            var sineBytes = hostSines.segment();
            for (int position = 0; position < positions; position++) {
                for (int i = 0; i < half; i++) {
                    double angle = position * frequencies[i];
                    long element = (long) position * half + i;
                    Floats.set(DType.F32, cosineBytes, element, Math.cos(angle) * factor);
                    Floats.set(DType.F32, sineBytes, element, Math.sin(angle) * factor);
                }
            }
            backend.operations().dense().copy(hostCosines, cosines);
            backend.operations().dense().copy(hostSines, sines);
            backend.synchronize();
        }
        return new Rotary(cosines, sines, spec.rotaryDim(), spec.interleaved(), factor);
    }
}
