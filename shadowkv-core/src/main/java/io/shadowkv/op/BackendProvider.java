package io.shadowkv.op;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Service provider of a backend (see `ServiceLoader`). Reports, before the backend is opened,
/// whether it can run on this machine and why.
public interface BackendProvider {
    String name();

    /// @param options the options that the backend would be opened with
    Availability availability(BackendOptions options);

    /// @throws IllegalStateException if not available
    Backend open(BackendOptions options);

    /// Whether a backend can run on this machine, and the reason.
    ///
    /// @param usable true if `open` will work
    /// @param priority `auto` chooses the usable backend of highest priority, and never one with
    ///     [#ONLY_BY_NAME]
    /// @param reason what was found or what is missing
    record Availability(boolean usable, int priority, String reason) {
        /// Priority of a backend that runs only if it is requested by name.
        public static final int ONLY_BY_NAME = Integer.MIN_VALUE;
    }

    /// @param threads worker threads of a CPU backend; 0 means one per core
    /// @param vectorBits width of vectors in bits; 0 means the widest that the machine has
    /// @param offloadFolder folder for the offloaded values of a backend that computes on the host.
    ///     They are stored in mapped temporary files, so that the system can page them out. Null
    ///     keeps them in ordinary memory
    /// @param device number of the device that a device backend opens
    /// @param libraryFolder folder that a device backend loads its libraries from; null searches
    ///     the usual places
    /// @param kernelFolder folder that caches compiled kernels between runs; null compiles them in
    ///     every run
    record BackendOptions(
            int threads,
            int vectorBits,
            @Nullable Path offloadFolder,
            int device,
            @Nullable Path libraryFolder,
            @Nullable Path kernelFolder) {
        public static final BackendOptions DEFAULT = new BackendOptions(0, 0);

        public BackendOptions(int threads, int vectorBits) {
            this(threads, vectorBits, null);
        }

        public BackendOptions(int threads, int vectorBits, @Nullable Path offloadFolder) {
            this(threads, vectorBits, offloadFolder, 0, null, null);
        }

        public BackendOptions {
            if (threads < 0) {
                throw new IllegalArgumentException(
                        "threads is " + threads + "; expected 1 or more, or 0 for one per core");
            }
            if (vectorBits != 0 && vectorBits != 128 && vectorBits != 256 && vectorBits != 512) {
                throw new IllegalArgumentException(
                        "vector width is " + vectorBits + " bits; expected 128, 256 or 512, or 0 for the widest");
            }
            if (device < 0) {
                throw new IllegalArgumentException("device is " + device + "; expected 0 (the first device) or more");
            }
        }

        public BackendOptions withDevice(int number, @Nullable Path libraries, @Nullable Path kernels) {
            return new BackendOptions(threads, vectorBits, offloadFolder, number, libraries, kernels);
        }
    }
}
