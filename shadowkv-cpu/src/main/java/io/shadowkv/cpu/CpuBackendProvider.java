package io.shadowkv.cpu;

import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.cpu.vector.WidthLoader;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Provides [CpuBackend] if the incubating vector module is present.
///
/// Refers to no vector class, so that it can be loaded and can answer without the module.
public final class CpuBackendProvider implements BackendProvider {
    private static final int PRIORITY = 10;
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    /// Loaders by width. Backends of the same width share the classes, so that the second one runs
    /// what the JVM compiled for the first.
    private final Map<Integer, WidthLoader> copies = new ConcurrentHashMap<>();

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Availability availability(BackendOptions options) {
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
            return new Availability(
                    false,
                    PRIORITY,
                    "this JVM runs without the module " + VECTOR_MODULE + "; start it with --add-modules "
                            + VECTOR_MODULE);
        }
        int threads = Runtime.getRuntime().availableProcessors();
        return new Availability(true, PRIORITY, CpuBackend.describe(VectorWidth.bits(), threads));
    }

    @Override
    public Backend open(BackendOptions options) {
        Availability availability = availability(options);
        if (!availability.usable()) {
            throw new IllegalStateException(availability.reason());
        }
        int bits = options.vectorBits();
        if (bits > VectorWidth.bits()) {
            throw new IllegalArgumentException("vectors of " + bits + " bits were asked for; this machine's have "
                    + VectorWidth.bits() + ". Ask for that or less, or for 0 to take the widest");
        }
        if (bits == 0 || bits == VectorWidth.bits()) {
            return new CpuBackend(options);
        }
        return openCopy(options);
    }

    private Backend openCopy(BackendOptions options) {
        try {
            return (Backend) copies.computeIfAbsent(options.vectorBits(), WidthLoader::new)
                    .loadClass(CpuBackend.class.getName())
                    .getConstructor(BackendOptions.class)
                    .newInstance(options);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "cannot load the kernels for vectors of " + options.vectorBits() + " bits", e);
        }
    }
}
