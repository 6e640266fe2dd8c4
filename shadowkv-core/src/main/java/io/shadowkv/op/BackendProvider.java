package io.shadowkv.op;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Entry of a backend for `ServiceLoader`: says why it can or cannot run here before it is opened.
public interface BackendProvider {
    String name();

    /// @param options where to look, and for what
    Availability availability(BackendOptions options);

    /// @throws IllegalStateException if not available
    Backend open(BackendOptions options);

    /// Whether a backend can run on this machine, and the reason in words.
    ///
    /// @param usable true if `open` will work
    /// @param priority larger is preferred by `auto`; [#ONLY_BY_NAME] is never chosen by it
    /// @param reason what was found or what is missing
    record Availability(boolean usable, int priority, String reason) {
        /// Priority of a backend that runs only where it is asked for by name.
        public static final int ONLY_BY_NAME = Integer.MIN_VALUE;
    }

    /// @param threads worker threads of a CPU backend; 0 takes one for each core
    /// @param vectorBits width of vectors; 0 takes the widest the machine has
    /// @param offloadFolder where a backend that computes on the host puts offloaded values, as mapped files
    ///     that vanish with it, so that the system may page them out; null keeps them in plain memory
    /// @param device number of the device that a device backend opens
    /// @param libraryFolder folder that a device backend takes its libraries from; null looks in the usual places
    /// @param kernelFolder folder that keeps compiled kernels between runs; null compiles them in every run
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
                throw new IllegalArgumentException("device is " + device + "; expected 0 for the first, or more");
            }
        }

        public BackendOptions withDevice(int number, @Nullable Path libraries, @Nullable Path kernels) {
            return new BackendOptions(threads, vectorBits, offloadFolder, number, libraries, kernels);
        }
    }
}
