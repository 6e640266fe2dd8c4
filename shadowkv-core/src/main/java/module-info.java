/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires static org.jspecify;

    exports io.shadowkv.tensor;
    exports io.shadowkv.op;
    exports io.shadowkv.cache;

    uses io.shadowkv.op.BackendProvider;
}
