package io.shadowkv.engine.answer;

import io.shadowkv.engine.Completion.FinishReason;
import io.shadowkv.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The text and the log probabilities of an answer so far, and why it ended.
public final class AnswerRecord {
    private final List<Integer> endIds;
    private final @Nullable AnswerText decoder;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprobs> logprobs = new ArrayList<>();
    private @Nullable FinishReason finish;

    /// @param endIds ids that end the answer
    /// @param decoder null if there is no tokenizer
    public AnswerRecord(List<Integer> endIds, @Nullable AnswerText decoder) {
        this.endIds = endIds;
        this.decoder = decoder;
    }

    /// Adds a token.
    ///
    /// @param chances its log probabilities; null if they were not requested
    /// @param isLast true if no token can follow
    /// @return the text that became certain
    public String take(int id, @Nullable TokenLogprobs chances, boolean isLast) {
        if (chances != null) {
            logprobs.add(chances);
        }
        boolean isEnd = endIds.contains(id);
        String piece = isEnd || decoder == null ? "" : decoder.push(id);
        if (isEnd) {
            finish = FinishReason.END_OF_SEQUENCE;
        } else if (decoder != null && decoder.isStopped()) {
            finish = FinishReason.STOP_STRING;
        } else if (isLast) {
            finish = FinishReason.MAX_NEW_TOKENS;
        }
        if (finish != null) {
            piece += decoder == null ? "" : decoder.finish();
        }
        text.append(piece);
        return piece;
    }

    /// Why the last token ended the answer; null if it did not.
    public @Nullable FinishReason finish() {
        return finish;
    }

    public String text() {
        return text.toString();
    }

    /// One entry for each token, or none if they were not requested.
    public List<TokenLogprobs> logprobs() {
        return List.copyOf(logprobs);
    }
}
