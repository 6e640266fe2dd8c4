package io.shadowkv.op.reference;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;

/// Provides [ReferenceBackend], on every machine and only by name.
public final class ReferenceBackendProvider implements BackendProvider {
    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Availability availability(BackendOptions options) {
        return new Availability(true, Availability.ONLY_BY_NAME, "plain loops in double; for checking only");
    }

    /// Opens the backend; threads and vector width are ignored.
    @Override
    public Backend open(BackendOptions options) {
        return new ReferenceBackend();
    }
}
