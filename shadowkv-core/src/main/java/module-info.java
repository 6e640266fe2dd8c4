/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires java.net.http;
    requires jdk.management;
    requires static org.jspecify;
    requires tools.jackson.databind;
    requires ai.djl.tokenizers;

    exports io.shadowkv.tensor;
    exports io.shadowkv.text;
    exports io.shadowkv.checkpoint;
    exports io.shadowkv.op;
    exports io.shadowkv.op.reference;
    exports io.shadowkv.op.timing;
    exports io.shadowkv.cache;
    exports io.shadowkv.model;
    exports io.shadowkv.sampling;
    exports io.shadowkv.engine;

    uses io.shadowkv.op.BackendProvider;

    provides io.shadowkv.op.BackendProvider with
            io.shadowkv.op.reference.ReferenceBackendProvider;
}
