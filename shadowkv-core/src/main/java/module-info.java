/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires jdk.management;
    requires static org.jspecify;

    exports io.shadowkv.tensor;
    exports io.shadowkv.op;
    exports io.shadowkv.op.reference;
    exports io.shadowkv.cache;

    uses io.shadowkv.op.BackendProvider;

    provides io.shadowkv.op.BackendProvider with
            io.shadowkv.op.reference.ReferenceBackendProvider;
}
