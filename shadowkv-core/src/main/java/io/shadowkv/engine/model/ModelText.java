package io.shadowkv.engine.model;

import io.shadowkv.checkpoint.Checkpoint;
import io.shadowkv.engine.Request;
import io.shadowkv.engine.answer.AnswerText;
import io.shadowkv.sampling.LogitsException;
import io.shadowkv.text.Tokenizer;
import io.shadowkv.text.TokenizerException;
import io.shadowkv.text.chat.ChatTemplate;
import io.shadowkv.text.chat.ChatTemplateException;
import io.shadowkv.text.tokenizer.Tokenizers;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The contents of a checkpoint other than weights: tokenizer, chat template and generation
/// defaults. Each is opened at first use. Random weights have none of them. Thread-safe.
public final class ModelText implements AutoCloseable {
    private final @Nullable Checkpoint checkpoint;
    private final List<String> notes;
    private final int vocabularySize;
    private @Nullable Tokenizer tokenizer;
    private @Nullable ChatTemplate chatTemplate;
    private @Nullable List<Integer> endIds;

    /// @param checkpoint closed when this is closed; null for random weights
    /// @param notes messages about the checkpoint that the user should see
    /// @param vocabularySize number of the model's logits; end ids beyond it can never be drawn
    public ModelText(@Nullable Checkpoint checkpoint, List<String> notes, int vocabularySize) {
        this.checkpoint = checkpoint;
        this.notes = List.copyOf(notes);
        this.vocabularySize = vocabularySize;
    }

    public List<String> notes() {
        return notes;
    }

    /// @throws IllegalStateException if the weights are random
    public Checkpoint checkpoint() {
        Checkpoint held = checkpoint;
        if (held == null) {
            throw new IllegalStateException("random weights have no checkpoint");
        }
        return held;
    }

    /// The folder of the checkpoint, or a description; used in messages.
    public String source() {
        return checkpoint == null
                ? "a model of random weights"
                : checkpoint.folder().toString();
    }

    public boolean hasTokenizer() {
        Checkpoint held = checkpoint;
        return held != null && held.hasTokenizer();
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

    /// Runs `work`. If `work` throws a [LogitsException], adds the cause to its message: the
    /// damaged weight, if there is one.
    ///
    /// @throws LogitsException if `work` throws it
    public <T> T explaining(Supplier<T> work) {
        try {
            return work.get();
        } catch (LogitsException e) {
            throw explained(e);
        }
    }

    /// Returns `problem`, with its cause added to the message if it is a [LogitsException]. Reads all
    /// weights in that case.
    public RuntimeException explained(RuntimeException problem) {
        return problem instanceof LogitsException e ? explained(e) : problem;
    }

    private LogitsException explained(LogitsException problem) {
        if (checkpoint == null) {
            return problem;
        }
        String cause = checkpoint
                .notFinite()
                .orElse("every weight is a finite number, so the model's activations overflow; another type of keys and"
                        + " values (F32) may do");
        return new LogitsException(problem.getMessage() + ": " + cause, problem);
    }

    /// Ids that end a sequence: those of `generation_config.json` or `config.json`, the
    /// tokenizer's, and the one with which the chat template ends an answer. A fine-tuned model
    /// often states its end-of-turn token in only one of these places, and ends every answer with
    /// that token.
    public synchronized List<Integer> endIds() {
        List<Integer> known = endIds;
        if (known == null) {
            Set<Integer> ids = new LinkedHashSet<>();
            if (checkpoint != null) {
                ids.addAll(checkpoint.generation().eosTokenIds());
            }
            if (hasTokenizer()) {
                tokenizer().endOfSequence().ifPresent(ids::add);
                endOfTurn().ifPresent(ids::add);
            }
            known = ids.stream().filter(id -> id >= 0 && id < vocabularySize).toList();
            endIds = known;
        }
        return known;
    }

    private OptionalInt endOfTurn() {
        try {
            return hasChatTemplate() ? chatTemplate().endOfTurn(tokenizer()) : OptionalInt.empty();
        } catch (ChatTemplateException e) {
            // A caller of chatTemplate() gets this exception; a plain prompt does not need the
            // template.
            return OptionalInt.empty();
        }
    }

    /// Decodes the answer to a request; null if there is no tokenizer.
    ///
    /// @throws IllegalArgumentException if the request has stop strings and there is no tokenizer
    public @Nullable AnswerText answerText(Request request) {
        List<String> stopStrings = request.options().stopStrings();
        if (hasTokenizer()) {
            return new AnswerText(tokenizer(), stopStrings);
        }
        if (!stopStrings.isEmpty()) {
            throw new IllegalArgumentException(
                    "stop strings need a tokenizer; " + source() + " has none. Leave them out");
        }
        return null;
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
