package io.shadowkv.engine.answer;

import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Tokenizer;
import java.util.List;

/// The text of an answer as its tokens arrive, up to a stop string, without special tokens. Confined to one thread.
public final class AnswerText {
    private final Tokenizer tokenizer;
    private final IncrementalDetokenizer detokenizer;
    private final StopStrings stops;

    public AnswerText(Tokenizer tokenizer, List<String> stopStrings) {
        SpecialTokens specials = tokenizer.specialTokens();
        this.tokenizer = tokenizer;
        this.detokenizer = tokenizer.detokenizer(true);
        this.stops = new StopStrings(stopStrings, specials::isIn);
    }

    /// Adds a token and returns the text that became certain.
    public String push(int id) {
        String text = stops.push(detokenizer.push(id));
        String token = tokenizer.isSpecial(id) ? tokenizer.token(id) : null;
        return token == null ? text : text + stops.pushToken(token);
    }

    /// Ends the answer and returns the text that was held back.
    public String finish() {
        return stops.push(detokenizer.finish()) + stops.finish();
    }

    public boolean isStopped() {
        return stops.isFound();
    }
}
