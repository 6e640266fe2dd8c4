/// Output that must be JSON of a given schema: which tokens may come next.
///
/// In: a JSON schema and a tokenizer's vocabulary. Out: for each sequence, the set of allowed next
/// tokens. A schema becomes an automaton over bytes whose rules call each other
/// ([io.shadowkv.text.grammar.Grammar]); its steps are walked along a trie of the vocabulary.
/// Called by the server. Next stop: the sampler, which gives all other tokens no probability.
@NullMarked
package io.shadowkv.text.grammar;

import org.jspecify.annotations.NullMarked;
