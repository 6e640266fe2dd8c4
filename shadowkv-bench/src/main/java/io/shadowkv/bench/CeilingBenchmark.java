package io.shadowkv.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Measures the ceilings of the machine: multiply-adds in registers, and reading memory once. Runs
/// on as many threads as the kernels that are compared with it.
@State(Scope.Thread)
public class CeilingBenchmark {
    static final int MULTIPLY_ADDS = 1_000_000;
    static final int CHAINS = 12;
    static final long READ_BYTES = 256L << 20;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(READ_BYTES, 64);

    /// Writes every page.
    @Setup
    public void fill() {
        memory.fill((byte) 1);
    }

    @TearDown
    public void free() {
        arena.close();
    }

    static double flopsPerRun() {
        return 2.0 * MULTIPLY_ADDS * CHAINS * FLOATS.length();
    }

    @Benchmark
    public float multiplyAdd(ProcessorTime time) {
        time.start();
        float sum = multiplyAdd();
        time.stop();
        return sum;
    }

    @Benchmark
    public long read(ProcessorTime time) {
        time.start();
        long sum = read();
        time.stop();
        return sum;
    }

    /// Twelve independent chains, more than enough to hide the latency of two units.
    float multiplyAdd() {
        FloatVector x = FloatVector.broadcast(FLOATS, 0.9999f);
        FloatVector y = FloatVector.broadcast(FLOATS, 0.25f);
        FloatVector s0 = y;
        FloatVector s1 = y.add(1);
        FloatVector s2 = y.add(2);
        FloatVector s3 = y.add(3);
        FloatVector s4 = y.add(4);
        FloatVector s5 = y.add(5);
        FloatVector s6 = y.add(6);
        FloatVector s7 = y.add(7);
        FloatVector s8 = y.add(8);
        FloatVector s9 = y.add(9);
        FloatVector s10 = y.add(10);
        FloatVector s11 = y.add(11);
        for (int i = 0; i < MULTIPLY_ADDS; i++) {
            s0 = s0.fma(x, y);
            s1 = s1.fma(x, y);
            s2 = s2.fma(x, y);
            s3 = s3.fma(x, y);
            s4 = s4.fma(x, y);
            s5 = s5.fma(x, y);
            s6 = s6.fma(x, y);
            s7 = s7.fma(x, y);
            s8 = s8.fma(x, y);
            s9 = s9.fma(x, y);
            s10 = s10.fma(x, y);
            s11 = s11.fma(x, y);
        }
        FloatVector all = s0.add(s1)
                .add(s2)
                .add(s3)
                .add(s4)
                .add(s5)
                .add(s6)
                .add(s7)
                .add(s8)
                .add(s9)
                .add(s10)
                .add(s11);
        return all.reduceLanes(VectorOperators.ADD);
    }

    long read() {
        int step = 8 * LONGS.vectorByteSize();
        LongVector even = LongVector.zero(LONGS);
        LongVector odd = LongVector.zero(LONGS);
        for (long at = 0; at < READ_BYTES; at += step) {
            even = even.lanewise(VectorOperators.XOR, longs(at, 0)).lanewise(VectorOperators.XOR, longs(at, 1));
            odd = odd.lanewise(VectorOperators.XOR, longs(at, 2)).lanewise(VectorOperators.XOR, longs(at, 3));
            even = even.lanewise(VectorOperators.XOR, longs(at, 4)).lanewise(VectorOperators.XOR, longs(at, 5));
            odd = odd.lanewise(VectorOperators.XOR, longs(at, 6)).lanewise(VectorOperators.XOR, longs(at, 7));
        }
        return even.add(odd).reduceLanes(VectorOperators.ADD);
    }

    private LongVector longs(long at, int index) {
        return LongVector.fromMemorySegment(
                LONGS, memory, at + (long) index * LONGS.vectorByteSize(), ByteOrder.LITTLE_ENDIAN);
    }
}
