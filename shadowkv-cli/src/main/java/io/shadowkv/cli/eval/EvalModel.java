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
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/// The properties of a model that tasks need, without reading its weights.
///
/// @param name the name as given
/// @param folder folder of the checkpoint
/// @param tokenizer owned by this record
/// @param format wraps questions
/// @param spec shape of the model
/// @param weightType type of most weights
/// @param weightBytes size of all weights
/// @param endOfSequence end-of-sequence token as the vocabulary writes it; empty if there is none
record EvalModel(
        String name,
        Path folder,
        Tokenizer tokenizer,
        PromptFormat format,
        DecoderSpec spec,
        DType weightType,
        long weightBytes,
        String endOfSequence)
        implements AutoCloseable {
    private static final int PRINT_BYTES = 8;

    /// @param template `auto`, or a name that [PromptFormat#named] knows
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
                        checkpoint.weightBytes(),
                        endOfSequence(checkpoint, tokenizer));
            } catch (RuntimeException e) {
                tokenizer.close();
                throw e;
            }
        }
    }

    /// Fingerprints that distinguish the model from others of the same name, computed now:
    /// [Checkpoint#fingerprint] of the weights and a hash of the configuration files.
    Map<String, String> prints() {
        Map<String, String> prints = new LinkedHashMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            prints.put("weights", checkpoint.fingerprint());
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(checkpoint.configuration());
            prints.put("config", HexFormat.of().formatHex(digest.digest(), 0, PRINT_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        return prints;
    }

    private static String endOfSequence(Checkpoint checkpoint, Tokenizer tokenizer) {
        return checkpoint.generation().eosTokenIds().stream()
                .filter(id -> id >= 0)
                .map(tokenizer::token)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("");
    }

    /// Facts about the model for a report.
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
