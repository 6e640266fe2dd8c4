package io.shadowkv.engine.model;

import io.shadowkv.engine.ContextLengthException;
import io.shadowkv.engine.GenerationOptions;
import io.shadowkv.engine.Request;
import io.shadowkv.model.spec.DecoderSpec;
import java.util.Collection;

/// Checks requests against the limits of a model before anything is computed. The messages of its
/// exceptions give the numbers.
///
/// @param contextTokens context length of the checkpoint
/// @param contextNote text that messages append to the context length
/// @param vocabularySize number of token ids
public record RequestLimits(int contextTokens, String contextNote, int vocabularySize) {
    public static RequestLimits of(DecoderSpec spec) {
        return new RequestLimits(spec.contextTokens(), spec.contextNote(), spec.vocabularySize());
    }

    /// Returns the maximum number of tokens of prompt and answer together. The end of the context
    /// may cut an answer short.
    ///
    /// @throws ContextLengthException if the prompt fills the context
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    public int capacityOf(Request request) {
        checkIds(request.promptIds());
        checkOptions(request.options());
        int prompt = request.promptIds().length;
        if (prompt >= contextTokens) {
            throw new ContextLengthException(
                    "prompt has %,d tokens; the model's context is %,d%s. Shorten it, or use a model with a longer context."
                            .formatted(prompt, contextTokens, contextNote));
        }
        return (int) Math.min(contextTokens, (long) prompt + request.options().maxNewTokens());
    }

    /// @throws ContextLengthException if a document leaves no room for a question
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    public void checkDocument(int[] ids) {
        checkIds(ids);
        if (ids.length >= contextTokens) {
            throw new ContextLengthException(
                    "the document has %,d tokens; the model's context is %,d%s, which leaves no room for a question. Shorten it, or use a model with a longer context."
                            .formatted(ids.length, contextTokens, contextNote));
        }
    }

    /// @param what what has this length; used in the message
    /// @throws ContextLengthException if `tokens` exceed the context
    public void checkContext(int tokens, String what) {
        if (tokens > contextTokens) {
            throw new ContextLengthException(
                    "%s would exceed the model's context of %,d tokens%s. Shorten it, or use a model with a longer context."
                            .formatted(what, contextTokens, contextNote));
        }
    }

    /// @param what what has this capacity; used in the message
    /// @throws IllegalArgumentException if a prompt and an answer cannot fit
    /// @throws ContextLengthException if `tokens` exceed the context
    public void checkCapacity(int tokens, String what) {
        if (tokens < 2) {
            throw new IllegalArgumentException(
                    what + " of " + tokens + " tokens; expected at least 2, one of a prompt and one of an answer");
        }
        checkContext(tokens, what + " of " + tokens + " tokens");
    }

    /// @throws IllegalArgumentException if `tokens` or `batch` is less than 1
    /// @throws ContextLengthException if sequences would exceed the context
    public void checkPlan(int tokens, int batch) {
        if (tokens < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    "a plan for " + batch + " sequences of " + tokens + " tokens; expected 1 or more of each");
        }
        checkContext(tokens, "sequences of " + tokens + " tokens");
    }

    /// Checks a turn of a conversation. The whole answer must fit.
    ///
    /// @param before number of tokens in the conversation
    /// @throws ContextLengthException if the turn and its answer exceed the capacity
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    public void checkConversation(Request request, int before, int capacity) {
        int tokens = request.promptIds().length;
        int answer = request.options().maxNewTokens();
        if (before + tokens + answer > capacity) {
            throw new ContextLengthException(
                    "the conversation holds %,d tokens; %,d more and up to %,d of an answer exceed its %,d. Open it with a larger capacity or start anew"
                            .formatted(before, tokens, answer, capacity));
        }
        checkIds(request.promptIds());
        checkOptions(request.options());
    }

    /// Checks a later turn of a dialogue. The capacity may cut the answer short.
    ///
    /// @param before number of tokens in the dialogue
    /// @throws ContextLengthException if the turn leaves no room for an answer
    /// @throws IllegalArgumentException if an id is not in the vocabulary
    public void checkLaterTurn(Request request, int before, int capacity) {
        int tokens = request.promptIds().length;
        if (before + tokens >= capacity) {
            throw new ContextLengthException(
                    "the dialogue holds %,d tokens; %,d more leave no room for an answer in its %,d. Give it a larger capacity, or ask less"
                            .formatted(before, tokens, capacity));
        }
        checkIds(request.promptIds());
        checkOptions(request.options());
    }

    /// Checks the token ids in options: a device would change logits outside a row.
    private void checkOptions(GenerationOptions options) {
        checkOption("the logit bias", options.sampling().logitBias().keySet());
        checkOption("the stop ids", options.stopIds());
    }

    private void checkOption(String what, Collection<Integer> ids) {
        for (int id : ids) {
            if (id < 0 || id >= vocabularySize) {
                throw new IllegalArgumentException(what + " has the token id " + id
                        + "; the model's vocabulary has ids 0 to " + (vocabularySize - 1));
            }
        }
    }

    /// @throws IllegalArgumentException if an id is not in the vocabulary
    public void checkIds(int[] ids) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= vocabularySize) {
                throw new IllegalArgumentException("id " + i + " of the prompt is " + ids[i]
                        + "; the model's vocabulary has ids 0 to " + (vocabularySize - 1));
            }
        }
    }
}
