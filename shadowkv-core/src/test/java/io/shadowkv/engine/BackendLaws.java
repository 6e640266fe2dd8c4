package io.shadowkv.engine;

import io.shadowkv.RandomCheckpoint;
import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.KvCacheSpec.Shadow;
import io.shadowkv.op.Backend;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What holds for every backend: each law is one body, and a backend's tests extend it and say how it is opened.
public abstract class BackendLaws {
    /// Everything kept while a sequence has up to 44 tokens, then 4 units of 4 tokens selected.
    static final Shadow NARROW = new Shadow(32, 4, 16, 2, 8, 8);

    /// Both strategies, the second one whole, then indexed.
    static final List<KvCacheSpec> STRATEGIES = List.of(new KvCacheSpec.Full(), NARROW);

    @TempDir
    Path temporary;

    private CheckedBackend backend;

    /// A new backend, closed after each test.
    protected abstract Backend open();

    /// Largest difference of a logit, as a share of the largest, between two ways to compute the same sums in
    /// another order; 0 for a backend that computes every row by itself and in one order.
    protected double rounding() {
        return 1e-4;
    }

    /// True if a row's result does not depend on how many others are computed with it; where it does, two batches
    /// agree to rounding only, and a close choice among units or tokens may fall another way.
    protected boolean isBatchInvariant() {
        return true;
    }

    @BeforeEach
    void openBackend() {
        backend = new CheckedBackend(open());
    }

    /// No test may leave memory behind.
    @AfterEach
    void closeBackend() {
        backend.assertNothingHeld();
        backend.close();
    }

    final CheckedBackend backend() {
        return backend;
    }

    final Path checkpoint(RandomCheckpoint shape) {
        return shape.write(temporary.resolve("checkpoint"));
    }

    final StepBench bench(Path folder, KvCacheSpec spec) {
        return new StepBench(folder, backend, spec);
    }
}
