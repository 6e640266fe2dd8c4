package io.shadowkv.server.error;

import io.shadowkv.engine.EngineUnavailableException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Turns the failures of one server into what clients are told, and logs those that are the server's
/// own. Thread-safe.
public final class Failures {
    private final BiConsumer<String, Throwable> log;
    private final Supplier<@Nullable Throwable> engineFailure;
    private final AtomicBoolean isBreakLogged = new AtomicBoolean();

    /// @param log receives the request and the cause of a failure of the server itself
    /// @param engineFailure gives the reason why the engine is broken; null if it is not broken
    public Failures(BiConsumer<String, Throwable> log, Supplier<@Nullable Throwable> engineFailure) {
        this.log = log;
        this.engineFailure = engineFailure;
    }

    /// Returns what the client is told. A failure of the server itself is logged with its cause; a broken
    /// engine is logged once.
    ///
    /// @param request method and path
    public ApiException report(String request, Throwable failure) {
        Throwable reason = failure instanceof EngineUnavailableException ? engineFailure.get() : null;
        if (reason != null) {
            return broken(request, reason);
        }
        ApiException error = EngineFailures.explain(failure);
        if (error.status() == 500) {
            Throwable cause = error.getCause();
            log.accept(request, cause == null ? error : cause);
        }
        return error;
    }

    /// @param request method and path
    /// @throws ApiException if the engine is broken (503, which no retry cures)
    public void checkEngine(String request) {
        Throwable reason = engineFailure.get();
        if (reason != null) {
            throw broken(request, reason);
        }
    }

    private ApiException broken(String request, Throwable reason) {
        if (isBreakLogged.compareAndSet(false, true)) {
            log.accept(request, reason);
        }
        return ApiException.unavailable(
                        "engine_broken",
                        "the engine is broken and answers no further request (" + reason
                                + "). Start the server again; its log has the cause",
                        0)
                .because(reason);
    }
}
