/// The engine: from a checkpoint folder to streamed answers, on any backend.
module io.shadowkv.core {
    requires static org.jspecify;
    requires ai.djl.tokenizers;
    requires tools.jackson.databind;

    exports io.shadowkv.tensor;
    exports io.shadowkv.text;
    exports io.shadowkv.op;
    exports io.shadowkv.cache;

    uses io.shadowkv.op.BackendProvider;
}
