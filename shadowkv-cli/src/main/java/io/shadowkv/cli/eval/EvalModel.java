package io.shadowkv.cli.eval;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.eval.PromptFormat;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.Family;
import io.shadowkv.tensor.DType;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// What tasks need to know of a model, without its weights being read.
///
/// @param name as it was given
/// @param folder the checkpoint's
/// @param tokenizer owned here
/// @param format wraps questions
/// @param spec its shape
/// @param weightType the type of most weights
/// @param weightBytes of all weights
record EvalModel(
        String name,
        Path folder,
        Tokenizer tokenizer,
        PromptFormat format,
        DecoderSpec spec,
        DType weightType,
        long weightBytes)
        implements AutoCloseable {
    /// @param template `auto`, or one that [PromptFormat#named] knows
    /// @throws IllegalArgumentException if there is no such template
    static EvalModel open(String name, Path folder, String template) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            Tokenizer tokenizer = Tokenizers.open(folder);
            try {
                return new EvalModel(
                        name,
                        folder,
                        tokenizer,
                        PromptFormat.of(template, ChatTemplate.open(folder), tokenizer),
                        Family.of(checkpoint.config()).spec(checkpoint.config()),
                        checkpoint.weightType(),
                        checkpoint.weightBytes());
            } catch (RuntimeException e) {
                tokenizer.close();
                throw e;
            }
        }
    }

    /// What it is, for a report.
    Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("layers", Integer.toString(spec.layers()));
        facts.put("heads", spec.queryHeads() + " query, " + spec.kvHeads() + " key-value, of " + spec.headDim());
        facts.put("context", String.format("%,d tokens", spec.contextTokens()));
        facts.put("weights", String.format("%,d bytes, mostly %s", weightBytes, weightType));
        return facts;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
