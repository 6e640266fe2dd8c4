package io.shadowkv.eval;

import io.shadowkv.text.MarkedText;
import io.shadowkv.text.SpecialTokens;
import io.shadowkv.text.Tokenizer;

/// A [ModelTemplate] as a prompt format. If a text already starts with the model's beginning
/// tokens, they are not added again.
public final class NamedFormat implements PromptFormat {
    private final ModelTemplate template;
    private final Tokenizer tokenizer;
    private final BeginningTokens beginning;
    private final SpecialTokens specials;

    NamedFormat(ModelTemplate template, Tokenizer tokenizer) {
        this.template = template;
        this.tokenizer = tokenizer;
        beginning = new BeginningTokens(tokenizer);
        specials = tokenizer.specialTokens();
    }

    public ModelTemplate template() {
        return template;
    }

    @Override
    public String wrap(String user) {
        return template.before() + user + template.after();
    }

    @Override
    public int[] encode(String wrapped) {
        return beginning.encode(wrapped);
    }

    @Override
    public int[] first(String user, String answerPrefix) {
        return beginning.encode(turn(template.before(), user, answerPrefix));
    }

    @Override
    public int[] next(String user, String answerPrefix) {
        return tokenizer.encode(turn(template.between(), user, answerPrefix));
    }

    private MarkedText turn(String before, String user, String answerPrefix) {
        return MarkedText.of(before)
                .followedBy(MarkedText.literal(user, specials))
                .followedBy(template.after() + answerPrefix);
    }
}
