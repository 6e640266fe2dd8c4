package io.shadowkv.model;

import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Cosines and sines for all positions that admitted sequences may reach, in a backend's memory.
/// Admitting a longer sequence extends the tables. Angles are computed in double: at a million
/// positions a float angle has an error of 0.06.
///
/// There are two tables for longrope (short and long sequences) and one otherwise. Not thread-safe:
/// used by the engine's thread only.
public final class RotaryTables {
    private static final int GROWTH = 4096;

    private final RopeSpec spec;
    private final Backend backend;
    private final MemoryScope scope;
    private @Nullable Rotary shortTable;
    private @Nullable Rotary longTable;
    private final Set<Rotary> longTables = Collections.newSetFromMap(new IdentityHashMap<>());

    /// @param scope owner of the tables; old tables, together smaller than the newest, are kept
    ///     until it is closed
    public RotaryTables(RopeSpec spec, Backend backend, MemoryScope scope) {
        this.spec = spec;
        this.backend = backend;
        this.scope = scope;
    }

    /// Returns the table for a sequence that starts with `tokens` tokens and may reach `capacity`.
    /// A short sequence keeps its table up to the limit of short sequences.
    public Rotary forSequence(int tokens, int capacity) {
        return forLength(isShort(tokens) ? Math.min(capacity, spec.shortLimit()) : capacity);
    }

    /// True if a sequence of `tokens` tokens uses the frequencies of short sequences.
    public boolean isShort(int tokens) {
        return tokens <= spec.shortLimit();
    }

    /// Returns the table for a sequence of `tokens` tokens; it covers at least as many positions.
    public Rotary forLength(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        Rotary table = isLong ? longTable : shortTable;
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
    public Rotary latest(Rotary table) {
        Rotary longest = longTables.contains(table) ? longTable : shortTable;
        return longest == null ? table : longest;
    }

    /// Bytes of the table that a sequence of up to `tokens` tokens needs if no table for a longer
    /// sequence exists.
    public long bytes(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        return 2L * positions(0, tokens, isLong) * (spec.rotaryDim() / 2) * Float.BYTES;
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

    private Rotary build(int positions, boolean isLong) {
        double[] frequencies = spec.frequencies(isLong);
        double factor = spec.scaling().attentionFactor();
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
