package io.shadowkv.engine;

/// Requests that a running sequence stops. Thread-safe; a request cannot be withdrawn.
public final class Cancellation {
    private volatile boolean requested;

    public void cancel() {
        requested = true;
    }

    public boolean isRequested() {
        return requested;
    }
}
