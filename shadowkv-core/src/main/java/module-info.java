/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires java.net.http;
    requires static org.jspecify;
    requires tools.jackson.databind;

    exports io.shadowkv.tensor;
    exports io.shadowkv.checkpoint;
    exports io.shadowkv.op;
    exports io.shadowkv.cache;

    uses io.shadowkv.op.BackendProvider;
}
