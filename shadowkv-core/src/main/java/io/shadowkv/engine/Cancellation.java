package io.shadowkv.engine;

/// Asks a running sequence to stop; from any thread, at once visible, never undone.
public final class Cancellation {
    private volatile boolean requested;

    public void cancel() {
        requested = true;
    }

    public boolean isRequested() {
        return requested;
    }
}
