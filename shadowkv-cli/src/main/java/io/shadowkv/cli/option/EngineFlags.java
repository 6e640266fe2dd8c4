package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.cli.process.UserCache;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.ValuePlace;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider.BackendOptions;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.WeightPrecision;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Options that choose the backend and its limits; a mixin of several commands.
public final class EngineFlags {
    /// Types of keys and values.
    public enum KvType {
        f32,
        bf16,
        f16
    }

    /// Precisions of the weights in memory.
    public enum Weights {
        stored,
        int8,
        fp8,
        int4
    }

    /// Places of offloaded values.
    public enum Place {
        auto,
        device,
        host
    }

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "Backend: auto, or a name that `shadowkv backends` lists. Default: ${DEFAULT-VALUE}.")
    private String backend;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Worker threads. Default: one per core.")
    private int threads;

    @Option(
            names = "--vector-bits",
            paramLabel = "BITS",
            defaultValue = "0",
            description = "Width of CPU vectors: 128, 256 or 512. Default: the widest available.")
    private int vectorBits;

    @Option(
            names = "--prefill-rows",
            paramLabel = "TOKENS",
            description = "Rows of the prompt computed at a time. Default: chosen by the backend.")
    private @Nullable Integer prefillRows;

    /// The old name of `--prefill-rows`.
    @Option(names = "--prefill-chunk", paramLabel = "TOKENS", hidden = true)
    void prefillChunk(int rows) {
        prefillRows = rows;
    }

    @Option(
            names = "--kv-type",
            paramLabel = "TYPE",
            description = "Type of keys and values: ${COMPLETION-CANDIDATES}. Default: the weights' type.")
    private @Nullable KvType kvType;

    @Option(
            names = "--weights",
            paramLabel = "PRECISION",
            defaultValue = "stored",
            description = "Precision of the weights in memory: ${COMPLETION-CANDIDATES}. int8, fp8 and int4 quantise a"
                    + " plain checkpoint when it is loaded. Default: ${DEFAULT-VALUE}.")
    private Weights weights;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            description = "Device memory that the plan may use, such as 8G. Default: the free memory.")
    private @Nullable ByteSize memory;

    @Option(
            names = "--host-memory",
            paramLabel = "SIZE",
            converter = ByteSize.Converter.class,
            description = "Host memory that the plan may use for offloaded values. Default: the free memory.")
    private @Nullable ByteSize hostMemory;

    @Option(
            names = "--value-place",
            paramLabel = "PLACE",
            defaultValue = "auto",
            description =
                    "Where offloaded values are stored: ${COMPLETION-CANDIDATES}. auto keeps as many in device memory"
                            + " as fit next to the batch. Default: ${DEFAULT-VALUE}.")
    private Place valuePlace;

    @Option(
            names = "--offload-dir",
            paramLabel = "DIR",
            description =
                    "Folder for the offloaded values of a CPU backend, in unnamed files on its disk, so that the system can"
                            + " page them out. Default: none, they stay in memory.")
    private @Nullable Path offloadFolder;

    @Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of the GPU, as nvidia-smi numbers them. Default: ${DEFAULT-VALUE}.")
    private int device;

    @Option(
            names = "--cuda-libraries",
            paramLabel = "DIR",
            description = "Folder of NVIDIA's libraries (NVRTC, cuBLASLt, cuSOLVER). Default: the standard locations.")
    private @Nullable Path cudaLibraries;

    @Option(
            names = "--kernel-cache",
            paramLabel = "DIR",
            description = "Folder for compiled GPU kernels. Default: shadowkv/kernels in the user's cache folder.")
    private @Nullable Path kernelCache;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    public EngineFlags() {}

    /// Creates the options of an engine that stores sequences as `cache` says.
    ///
    /// @throws picocli.CommandLine.ParameterException if a value is out of range
    public EngineOptions options(KvCacheSpec cache) {
        EngineOptions plain = EngineOptions.DEFAULT;
        return CacheFlags.checked(
                command,
                () -> new EngineOptions(
                        cache,
                        plain.prefill(),
                        kvType().orElse(null),
                        prefillRows == null ? plain.prefillRows() : checkedRows(prefillRows),
                        plain.maxBatch(),
                        memory == null ? 0 : memory.bytes(),
                        hostMemory == null ? 0 : hostMemory.bytes(),
                        switch (valuePlace) {
                            case auto -> ValuePlace.AUTO;
                            case device -> ValuePlace.DEVICE;
                            case host -> ValuePlace.HOST;
                        },
                        plain.maxWaiting(),
                        plain.readingGap(),
                        plain.keptPrompts(),
                        weights(),
                        plain.growth()));
    }

    /// The name of the backend that [#openBackend] would open; for `auto`, a backend is opened to
    /// find out.
    public String backendName(PrintWriter err) {
        if (!backend.equals("auto")) {
            return backend;
        }
        try (Backend opened = openBackend(err).backend()) {
            return opened.name();
        }
    }

    /// The requested type of keys and values; empty means the weights' type.
    public Optional<DType> kvType() {
        return Optional.ofNullable(kvType).map(type -> switch (type) {
            case f32 -> DType.F32;
            case bf16 -> DType.BF16;
            case f16 -> DType.F16;
        });
    }

    /// The requested precision of the weights.
    public WeightPrecision weights() {
        return switch (weights) {
            case stored -> WeightPrecision.STORED;
            case int8 -> WeightPrecision.INT8;
            case fp8 -> WeightPrecision.FP8;
            case int4 -> WeightPrecision.INT4;
        };
    }

    /// True if the number of worker threads was given.
    public boolean statesThreads() {
        return threads > 0;
    }

    /// Rejects 0, which in Java leaves the choice to the backend; on the command line, leave out
    /// the option instead.
    private static int checkedRows(int rows) {
        if (rows < 1) {
            throw new IllegalArgumentException("number of prefill rows is " + rows + "; expected 1 or more");
        }
        return rows;
    }

    /// Opens the requested backend, and prints the choice of `auto` and its reason to `err`.
    public Backends.Choice openBackend(PrintWriter err) {
        return openBackend(err, device);
    }

    /// Opens the CPU backend for a command that measures nothing else.
    ///
    /// @throws picocli.CommandLine.ParameterException if another backend was asked for
    public Backend openCpu() {
        if (!backend.equals("auto") && !backend.equals("cpu")) {
            throw new ParameterException(
                    command.commandLine(),
                    "--backend is " + backend + "; this command measures the backend cpu. Leave the option out");
        }
        return CacheFlags.checked(
                        command, () -> Backends.open("cpu", new BackendOptions(threads, vectorBits, offloadFolder)))
                .backend();
    }

    /// Opens the requested backend on a device of its own.
    ///
    /// @param number number of the GPU; without meaning for a CPU backend
    public Backends.Choice openBackend(PrintWriter err, int number) {
        BackendOptions options = CacheFlags.checked(
                command,
                () -> new BackendOptions(threads, vectorBits, offloadFolder)
                        .withDevice(
                                number,
                                cudaLibraries,
                                kernelCache == null ? UserCache.folder().resolve("kernels") : kernelCache));
        Backends.Choice choice = CacheFlags.checked(command, () -> Backends.open(backend, options));
        if (backend.equals("auto")) {
            String does = choice.backend().description();
            String why = choice.reason().equals(does) ? "" : " (this machine: " + choice.reason() + ")";
            String others = choice.passedOver().isEmpty() ? "" : "; not " + String.join("; not ", choice.passedOver());
            err.println("backend: " + choice.backend().name() + ", " + does + why + others);
            err.flush();
        }
        return choice;
    }
}
