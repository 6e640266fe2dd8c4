/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires jdk.management;
    requires static org.jspecify;
    requires tools.jackson.databind;
    requires transitive io.shadowkv.text;

    exports io.shadowkv.tensor;
    exports io.shadowkv.checkpoint;
    exports io.shadowkv.op;
    exports io.shadowkv.op.host;
    exports io.shadowkv.op.reference;
    exports io.shadowkv.op.timing;
    exports io.shadowkv.cache;
    exports io.shadowkv.cache.prefill;
    exports io.shadowkv.model;
    exports io.shadowkv.model.spec;
    exports io.shadowkv.sampling;
    exports io.shadowkv.engine;
    exports io.shadowkv.engine.serve;
    exports io.shadowkv.engine.study;

    uses io.shadowkv.op.BackendProvider;

    provides io.shadowkv.op.BackendProvider with
            io.shadowkv.op.reference.ReferenceBackendProvider;
}
