package io.shadowkv.model;

import io.shadowkv.model.spec.RopeSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Cosines and sines for all positions that admitted sequences may reach, in a backend's memory; grown when a
/// longer sequence is admitted. Angles are computed in double: at a million positions a float angle is off by
/// 0.06.
///
/// Two tables for longrope (short and long sequences), one otherwise. Not thread-safe: the engine's thread
/// grows it.
public final class RotaryTables {
    private static final int GROWTH = 4096;

    private final RopeSpec spec;
    private final Backend backend;
    private final MemoryScope scope;
    private @Nullable Rotary shortTable;
    private @Nullable Rotary longTable;

    /// @param scope owns the tables; old ones stay until it is closed, together less than the newest
    public RotaryTables(RopeSpec spec, Backend backend, MemoryScope scope) {
        this.spec = spec;
        this.backend = backend;
        this.scope = scope;
    }

    /// The table for a sequence that starts with `tokens` tokens and may reach `capacity`: a short sequence
    /// keeps its table as far as that goes.
    public Rotary forSequence(int tokens, int capacity) {
        return forLength(isShort(tokens) ? Math.min(capacity, spec.shortLimit()) : capacity);
    }

    /// True if a sequence of `tokens` tokens rotates by the frequencies of short ones.
    public boolean isShort(int tokens) {
        return tokens <= spec.shortLimit();
    }

    /// The table for a sequence that holds `tokens` tokens, covering at least as many positions.
    public Rotary forLength(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        Rotary table = isLong ? longTable : shortTable;
        if (table == null || table.positions() < tokens) {
            table = build(positions(table == null ? 0 : table.positions(), tokens, isLong), isLong);
            if (isLong) {
                longTable = table;
            } else {
                shortTable = table;
            }
        }
        return table;
    }

    /// Bytes of the table that a sequence of up to `tokens` tokens needs, unless one was made for a longer sequence.
    public long bytes(int tokens) {
        boolean isLong = tokens > spec.shortLimit();
        return 2L * positions(0, tokens, isLong) * (spec.rotaryDim() / 2) * Float.BYTES;
    }

    /// Bytes that the tables hold now.
    public long heldBytes() {
        return scope.bytes(Backend.Place.DEVICE);
    }

    /// Positions of a new table: some more than asked for, and twice the old ones, so that few are made.
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
