package io.shadowkv.op;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Entry of a backend for `ServiceLoader`: says why it can or cannot run here before it is opened.
public interface BackendProvider {
    String name();

    Availability availability();

    /// @throws IllegalStateException if not available
    Backend open(BackendOptions options);

    /// Whether a backend can run on this machine, and the reason in words.
    ///
    /// @param usable true if `open` will work
    /// @param priority larger is preferred by `auto`
    /// @param reason what was found or what is missing
    record Availability(boolean usable, int priority, String reason) {}

    /// @param threads worker threads of a CPU backend; 0 takes one for each core
    /// @param vectorBits width of vectors; 0 takes the widest the machine has
    /// @param offloadFolder where a backend that computes on the host puts offloaded values, as mapped files
    ///     that vanish with it, so that the system may page them out; null keeps them in plain memory
    record BackendOptions(
            int threads, int vectorBits, @Nullable Path offloadFolder) {
        public static final BackendOptions DEFAULT = new BackendOptions(0, 0);

        public BackendOptions(int threads, int vectorBits) {
            this(threads, vectorBits, null);
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
        }
    }
}
