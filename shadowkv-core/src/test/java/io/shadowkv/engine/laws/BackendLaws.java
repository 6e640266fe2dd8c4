package io.shadowkv.engine.laws;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What holds for every backend: each law is one body, and a backend's tests extend it with a
/// [BackendUnderTest].
public abstract class BackendLaws {
    /// Everything kept while a sequence has up to 44 tokens, then 4 units of 4 tokens selected.
    static final Shadow NARROW = new Shadow(32, 4, 16, 2, 8, 8);

    /// Both strategies, the second one whole, then indexed.
    static final List<KvCacheSpec> STRATEGIES = List.of(new KvCacheSpec.Full(), NARROW);

    @TempDir
    Path temporary;

    private final BackendUnderTest tested;
    private CheckedBackend backend;

    /// @param tested what the laws are held against
    protected BackendLaws(BackendUnderTest tested) {
        this.tested = tested;
    }

    final double rounding() {
        return tested.rounding();
    }

    /// `tolerance` of F32, or what the type allows.
    final double atLeastRounding(double tolerance) {
        return Math.max(tolerance, tested.rounding());
    }

    /// False where the roundings of earlier steps may have led to another choice among units whose scores are
    /// nearly equal: in BF16 after a few steps.
    ///
    /// @param step number of steps before
    final boolean choosesAlike(int step) {
        return tested.type() == DType.F32 || step < 3;
    }

    final boolean isBatchInvariant() {
        return tested.isBatchInvariant();
    }

    @BeforeEach
    void openBackend() {
        backend = new CheckedBackend(tested.opener().get());
    }

    /// No test may leave memory behind.
    @AfterEach
    void closeBackend() {
        backend.assertNothingHeld();
        backend.close();
    }

    /// Type of the checkpoints' weights, and of keys and values.
    final DType keysAndValues() {
        return tested.type();
    }

    final CheckedBackend backend() {
        return backend;
    }

    final Path checkpoint(RandomCheckpoint shape) {
        return shape.write(temporary.resolve("checkpoint"), tested.type());
    }

    final StepBench bench(Path folder, KvCacheSpec spec) {
        return bench(folder, spec, backend);
    }

    /// @param through forwards to [#backend]
    final StepBench bench(Path folder, KvCacheSpec spec, Backend through) {
        return new StepBench(folder, through, spec, tested.type());
    }
}
