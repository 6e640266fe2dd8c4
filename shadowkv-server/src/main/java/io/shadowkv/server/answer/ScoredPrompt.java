package io.shadowkv.server.answer;

import io.shadowkv.sampling.TokenLogprobs;
import java.util.List;

/// The log probabilities of a prompt's tokens, and of the token after it if one was asked for.
///
/// @param text the prompt and the generated token
/// @param promptTokens number of tokens of the prompt
/// @param first the first token, which has no log probability because nothing is before it
/// @param rest the other tokens of the prompt, and the generated one
public record ScoredPrompt(String text, int promptTokens, int first, List<TokenLogprobs> rest) {
    public ScoredPrompt {
        rest = List.copyOf(rest);
    }

    /// Number of generated tokens: 0 or 1.
    int generatedTokens() {
        return rest.size() + 1 - promptTokens;
    }
}
