/// Converts text to token ids and back, and conversations to prompts.
module io.shadowkv.text {
    requires static org.jspecify;
    requires ai.djl.tokenizers;
    requires tools.jackson.databind;

    exports io.shadowkv.text;
    exports io.shadowkv.text.chat;
    exports io.shadowkv.text.gguf;
    exports io.shadowkv.text.grammar;
    exports io.shadowkv.text.tokenizer;
}
