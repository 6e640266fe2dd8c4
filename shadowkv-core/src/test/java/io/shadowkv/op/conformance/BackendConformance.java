package io.shadowkv.op.conformance;

import io.shadowkv.op.Backend;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// What every backend must pass, room by room: a backend's tests extend each room's class and say how it is
/// opened.
public abstract class BackendConformance {
    /// Types of weights, keys and values.
    static final List<DType> STORAGE_TYPES = List.of(DType.F32, DType.BF16, DType.F16);

    /// Head dims of the model families, and two that are not multiples of any vector width.
    static final List<Integer> HEAD_DIMS = List.of(6, 10, 64, 80, 96, 128, 256);

    static final List<Integer> GROUP_SIZES = List.of(1, 4, 7);

    private Backend backend;

    /// A new backend, closed after each test.
    protected abstract Backend open();

    /// Elements around every view: odd, so that views start at addresses aligned to their element only. A
    /// backend that needs more says so here.
    protected int guardElements() {
        return 3;
    }

    /// Type of activations in all suites; a backend that has several runs them once with each.
    protected DType activationType() {
        return backend.activationType(DType.BF16);
    }

    /// False for combinations that a backend refuses. All of the same type, and F32 for any of the three, must
    /// work.
    protected boolean supportsLinear(DType x, DType weight, DType out) {
        return true;
    }

    @BeforeEach
    void openBackend() {
        backend = open();
    }

    @AfterEach
    void closeBackend() {
        backend.close();
    }

    final Backend backend() {
        return backend;
    }

    final Workbench workbench(String description, Object... arguments) {
        return new Workbench(backend, activationType(), description.formatted(arguments), guardElements());
    }

    /// Element `i` of `list`, starting over at its end: pairs the sizes of one list with those of another.
    static <T> T cycle(List<T> list, int i) {
        return list.get(i % list.size());
    }
}
