package io.shadowkv.text.grammar;

import tools.jackson.databind.JsonNode;

/// The texts that are JSON of a schema, compiled for a vocabulary. Immutable, for any thread; made
/// once for a schema and kept.
///
/// The JSON is compact, so that a model cannot loop on blanks (vLLM issue 40080): one blank may
/// stand behind each `:` and `,`, and no other. Most models are trained on this form, and their
/// tokens `" "` plus a word fit it. [SchemaCompiler] says how each keyword is honoured, and what is
/// refused.
public final class Grammar {
    private final GrammarVocabulary vocabulary;
    private final TokenMasks masks;
    private final Positions start;

    private Grammar(State root, GrammarVocabulary vocabulary) {
        this.vocabulary = vocabulary;
        this.masks = new TokenMasks(vocabulary);
        this.start = Positions.before(root);
    }

    /// The values of a schema.
    ///
    /// @throws GrammarException if the schema cannot be enforced; it names the keyword and its
    ///     place
    public static Grammar of(JsonNode schema, GrammarVocabulary vocabulary) {
        return new Grammar(SchemaCompiler.compile(schema), vocabulary);
    }

    /// All objects, whose values are nested at most [AnyJson#DEEPEST] levels deep.
    public static Grammar anyObject(GrammarVocabulary vocabulary) {
        return new Grammar(AnyJson.object(), vocabulary);
    }

    /// The state of a sequence that has no token yet.
    public GrammarState start() {
        return new GrammarState(this, start, false);
    }

    public GrammarVocabulary vocabulary() {
        return vocabulary;
    }

    TokenMasks masks() {
        return masks;
    }
}
