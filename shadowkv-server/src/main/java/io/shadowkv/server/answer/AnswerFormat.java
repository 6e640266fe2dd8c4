package io.shadowkv.server.answer;

import io.shadowkv.engine.Completion;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// The JSON forms of one kind of answer: those of chats or those of completions. Used by one thread;
/// one object an answer.
public interface AnswerFormat {
    /// The first chunk of a choice, which is sent before the prompt is read; empty if this kind has
    /// none.
    Optional<ObjectNode> firstChunk(int choice);

    /// A chunk with more text.
    ///
    /// @param logprobs log probabilities of the tokens of the text; empty if they were not requested
    ObjectNode textChunk(int choice, String text, List<TokenLogprobs> logprobs);

    /// The chunks for more generated text: by default one with this text.
    ///
    /// @param logprobs log probabilities of its tokens; empty if they were not requested
    default List<ObjectNode> chunks(int choice, String text, List<TokenLogprobs> logprobs) {
        return List.of(textChunk(choice, text, logprobs));
    }

    /// The chunks for what was held back until the text ended: by default none.
    default List<ObjectNode> restChunks(int choice) {
        return List.of();
    }

    /// The last chunk of a choice, after [#restChunks].
    ObjectNode lastChunk(int choice, String finishReason);

    /// The number of tokens of the answers that are thoughts: by default 0.
    default long reasoningTokens(List<Completion> completions) {
        return 0;
    }

    /// A chunk without choices, for the usage.
    ObjectNode emptyChunk();

    /// The whole answer.
    ///
    /// @param completions in the order of the choices
    ///
    /// @throws io.shadowkv.server.error.ApiException if a sequence was ended by a time limit before its
    ///     first token, or by the server
    ObjectNode whole(List<Completion> completions, Usage usage);
}
