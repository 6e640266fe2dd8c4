package io.shadowkv.text.grammar;

import tools.jackson.databind.JsonNode;

/// The texts that are JSON of a schema, compiled for a vocabulary. Immutable, for any thread; made
/// once for a schema and kept.
///
/// The JSON is compact, so that a model cannot loop on blanks (vLLM issue 40080): one blank may
/// stand behind each `:` and `,`, and no other. Most models are trained on this form.
///
/// Every text of a grammar is valid under the schema (2020-12). Not every valid text is in it:
/// - Properties come in the schema's order, then additional ones. An object with `properties` and
///   without `additionalProperties` has no others: a model should not invent any.
/// - `oneOf` is taken as `anyOf`, so a value may be valid under several of its schemas.
/// - `enum` and `const` have the spelling that Jackson writes, without blanks.
/// - Strings with `pattern` or `format`, and additional keys next to `properties`, spell each
///   character in one way. Other strings may use any escape.
/// - Numbers have at most 19 digits before the point, 17 behind it and 2 in the exponent. Integers,
///   and numbers with bounds, have no exponent.
/// - Values without a schema are nested at most 32 levels deep.
///
/// Honoured: `type`, `enum`, `const`, `anyOf`, `oneOf`, `allOf` of one schema, `$ref` within the
/// schema (recursive, too), `properties`, `required`, `additionalProperties`, `items`,
/// `prefixItems`, `minItems`, `maxItems`, `minLength`, `maxLength`, `pattern` without look-around,
/// back references, `\b` and `\p`, `format` where OpenAI's strict mode has it (date, time,
/// date-time, duration, email, hostname, ipv4, ipv6, uuid), `minimum`, `maximum`,
/// `exclusiveMinimum`, `exclusiveMaximum`. Ignored: annotations such as `title`, `description` and
/// `default`, and keywords that begin with `x-`. All others are refused.
///
/// Limits: 200,000 states, 5,000 properties an object, 1,000 schemas of an `anyOf`, 500 schemas within
/// each other, 4,096 characters a `pattern`, and about a second for all patterns together. A schema
/// beyond them is refused.
///
/// A state that is seen for the first time walks the vocabulary, which takes milliseconds for 100,000
/// tokens; after that its mask is a copy of bits.
public final class Grammar {
    private final GrammarVocabulary vocabulary;
    private final TokenMasks masks;
    private final Positions start;
    private final int states;

    private Grammar(AutomatonBuilder.Automaton automaton, GrammarVocabulary vocabulary) {
        this.states = automaton.states();
        this.vocabulary = vocabulary;
        this.masks = new TokenMasks(vocabulary);
        this.start = Positions.before(automaton.root());
    }

    /// The values of a schema.
    ///
    /// @throws GrammarException if the schema cannot be enforced; it names the keyword and its
    ///     place
    public static Grammar of(JsonNode schema, GrammarVocabulary vocabulary) {
        return new Grammar(SchemaCompiler.compile(schema), vocabulary);
    }

    /// All objects, whose values are nested at most 32 levels deep.
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

    /// The number of states, which says how much memory the grammar takes: up to about a kilobyte a
    /// state, in addition to the masks.
    public int states() {
        return states;
    }

    TokenMasks masks() {
        return masks;
    }
}
