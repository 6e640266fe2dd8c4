package io.shadowkv.engine.batch;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.chat.ChatTemplateException;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.nio.file.Files;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a checkpoint holds beside its weights: tokenizer, chat template, generation defaults, each opened when first
/// asked for. Random weights have nothing of it. Safe to use from any thread.
public final class ModelText implements AutoCloseable {
    private final @Nullable Checkpoint checkpoint;
    private @Nullable Tokenizer tokenizer;
    private @Nullable ChatTemplate chatTemplate;

    /// @param checkpoint closed with this; null for random weights
    public ModelText(@Nullable Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// @throws IllegalStateException if there is none
    public Checkpoint checkpoint() {
        Checkpoint held = checkpoint;
        if (held == null) {
            throw new IllegalStateException("random weights have no checkpoint");
        }
        return held;
    }

    /// Where it comes from, for messages.
    public String source() {
        return checkpoint == null
                ? "a model of random weights"
                : checkpoint.folder().toString();
    }

    public boolean hasTokenizer() {
        Checkpoint held = checkpoint;
        return held != null
                && (Files.exists(held.folder().resolve("tokenizer.json"))
                        || Files.exists(held.folder().resolve("tokenizer.model")));
    }

    public synchronized Tokenizer tokenizer() {
        Tokenizer opened = tokenizer;
        if (opened == null) {
            if (checkpoint == null) {
                throw new TokenizerException(source() + " has no tokenizer; give ids instead of text");
            }
            opened = Tokenizers.open(checkpoint.folder());
            tokenizer = opened;
        }
        return opened;
    }

    public boolean hasChatTemplate() {
        return checkpoint != null && ChatTemplate.open(checkpoint.folder()).isPresent();
    }

    public synchronized ChatTemplate chatTemplate() {
        ChatTemplate opened = chatTemplate;
        if (opened == null) {
            opened = (checkpoint == null
                            ? java.util.Optional.<ChatTemplate>empty()
                            : ChatTemplate.open(checkpoint.folder()))
                    .orElseThrow(() -> new ChatTemplateException(source()
                            + " has no chat template (chat_template in tokenizer_config.json, or chat_template.jinja);"
                            + " give a plain prompt instead of messages"));
            chatTemplate = opened;
        }
        return opened;
    }

    /// Ids that end a sequence.
    public List<Integer> endIds() {
        return checkpoint == null ? List.of() : checkpoint.generation().eosTokenIds();
    }

    @Override
    public synchronized void close() {
        Tokenizer opened = tokenizer;
        if (opened != null) {
            opened.close();
        }
        if (checkpoint != null) {
            checkpoint.close();
        }
    }
}
