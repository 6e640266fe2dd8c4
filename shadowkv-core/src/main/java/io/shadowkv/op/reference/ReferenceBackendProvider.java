package io.shadowkv.op.reference;

import io.shadowkv.op.Backend;
import io.shadowkv.op.BackendProvider;

/// Offers [ReferenceBackend] everywhere, behind every other backend.
public final class ReferenceBackendProvider implements BackendProvider {
    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Availability availability(BackendOptions options) {
        return new Availability(true, Availability.ONLY_BY_NAME, "plain loops in double; for checking only");
    }

    /// Threads and vector width are of no use here: the judge has one way to work.
    @Override
    public Backend open(BackendOptions options) {
        return new ReferenceBackend();
    }
}
